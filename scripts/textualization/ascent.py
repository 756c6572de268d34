"""Gradient ascent on activations: the input that a neuron, or a group of neurons, wants to read.

Three things, each on its own: what is climbed (`objectives`), how it moves (`solvers`), and here the
loop, which knows neither. It keeps a batch of objectives climbing: one that has finished makes room for
one that waits.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import NamedTuple

import numpy as np
import torch

from textualization.objectives import Objectives
from textualization.parametrisations import Words
from textualization.recording import Evaluation
from textualization.snapshots import Snapshots
from textualization.solvers import SOLVERS, Solver
from textualization.transformer import FrozenTransformer


@dataclass(frozen=True)
class AscentSettings:
    """How to climb; the defaults are the paper's protocol (sec. 3).

    solver: `paper` (plain ascent in vocabulary space, no regulariser); `lbfgs` or `sphere` (fewer steps
    to the same activation, and no part of the paper); `adam` or `frank_wolfe` (other parametrisations
    and penalties, see `textualization.parametrisations`). options: of the solver; see its class.
    steps: moves; the gradient is taken once more than that, at the last point.
    tolerance, window: an ascent stops early if its activation rose by less than this share over
    that many steps; at 0, never.
    recorded: about how many points of the ascent's curve are kept, evenly spaced in log steps.
    """

    solver: str = "paper"
    steps: int = 5000
    options: Mapping[str, float] = field(default_factory=dict)
    tolerance: float = 0.0
    window: int = 20
    recorded: int = 40


@dataclass(frozen=True)
class Optima:
    """What ascent found, one row per objective.

    embedding: (n, H), the input e. activation: (n,), what it excites: at the last point of the
    paper's protocol, at the best seen of other solvers.
    finite: (n,), False where a value or gradient stopped being finite; dead: (n,), True where a
    gradient vanished altogether; both keep the last good point. converged: (n,), True where the
    ascent stopped by its tolerance. taken: (n,), steps taken.
    steps: (r,) and curve: (r, n), the activation at the recorded steps, or when the ascent ended.
    """

    embedding: torch.Tensor
    activation: torch.Tensor
    finite: torch.Tensor
    dead: torch.Tensor
    converged: torch.Tensor
    taken: torch.Tensor
    steps: np.ndarray
    curve: torch.Tensor


def ascend(
    model: FrozenTransformer,
    objectives: Objectives,
    start: torch.Tensor,
    settings: AscentSettings,
    batch: int | None = None,
    snapshots: Snapshots | None = None,
    progress: Callable[[int, int, torch.Tensor], None] | None = None,
    candidates: torch.Tensor | None = None,
) -> Optima:
    """Climb from `start`.

    start: (n, H), e₀ = x₀E; of several free positions (n, length · H). candidates: ids of the words by
    which `adam` and `frank_wolfe` measure; all entries if None. batch: how many climb together; all if
    None. The optima are the same for any batch, but for rounding. snapshots: where to go on from, and
    to leave off to.
    progress: called with (steps taken, steps still to take at most, mean activation of the batch); the
    last is a tensor, so that nobody waits for it who does not look.

    Raises ValueError for an unknown solver, options that it does not have, and several free positions
    with any solver but the paper's.
    """
    start = start.to(device=model.device, dtype=model.dtype)
    solver = make_solver(settings, model, candidates)
    climb = _Climb.resume(snapshots, model.device) if snapshots else None
    climb = climb or _Climb.begin(objectives, start, settings)
    climb.fill(solver, start, batch or len(start))
    evaluate = Evaluation(objectives.rows(climb.rows), model)
    taken, left = climb.count(settings)
    while len(climb.rows):
        point = solver.look(climb.state)
        value, gradient = evaluate(point)
        seen = climb.see(solver.keeps_best, settings, point, value, gradient)
        # The one time in a step that a GPU is waited for.
        some_ended = not seen.climbing.all()
        if progress:
            progress(taken, left, value.nanmean())
        if some_ended:
            climb.retire(seen)
            value, gradient = value[seen.climbing], gradient[seen.climbing]
        if len(climb.rows):
            done = climb.step.to(value.dtype) / settings.steps
            climb.state = solver.move(climb.state, value, gradient, done)
            climb.step = climb.step + 1
            taken, left = taken + len(climb.rows), left - len(climb.rows)
        if some_ended:
            climb.fill(solver, start, batch or len(start))
            evaluate = Evaluation(objectives.rows(climb.rows), model)
            taken, left = climb.count(settings)
        if snapshots and snapshots.due():
            snapshots.write(climb.tensors())
    if snapshots:
        snapshots.write(climb.tensors())
    return climb.optima()


def ascend_mixed(
    model: FrozenTransformer,
    rough: FrozenTransformer,
    objectives: Objectives,
    start: torch.Tensor,
    settings: AscentSettings,
    polish: float,
    batch: int | None = None,
    snapshots: Callable[[str], Snapshots] | None = None,
    progress: Callable[[int, int, torch.Tensor], None] | None = None,
) -> Optima:
    """Climb in mixed precision: the same model with rough products first, the last steps in full.

    polish: the share of the steps that `model` takes. snapshots: by stage, `rough` or `polish`.
    """
    last = max(1, round(polish * settings.steps))
    stages = {"rough": (rough, settings.steps - last), "polish": (model, last)}
    found, point = {}, start
    for name, (of_stage, steps) in stages.items():
        found[name] = ascend(
            of_stage,
            objectives,
            point,
            replace(settings, steps=steps),
            batch,
            snapshots(name) if snapshots else None,
            progress,
        )
        point = found[name].embedding
    rough, polished = found["rough"], found["polish"]
    # Rough values end where the first exact one begins.
    return replace(
        polished,
        finite=rough.finite & polished.finite,
        dead=rough.dead | polished.dead,
        taken=rough.taken + polished.taken,
        steps=np.concatenate([rough.steps[:-1], stages["rough"][1] + polished.steps]),
        curve=torch.cat([rough.curve[:-1], polished.curve]),
    )


def make_solver(
    settings: AscentSettings, model: FrozenTransformer, candidates: torch.Tensor | None = None
) -> Solver:
    """The solver that settings name, for a model. candidates: see `ascend`."""
    if settings.solver not in SOLVERS:
        raise ValueError(f"unknown solver {settings.solver!r} (known: {', '.join(SOLVERS)})")
    if model.length > 1 and settings.solver != "paper":
        raise ValueError(
            f"solver {settings.solver} moves one free position; here are {model.length}"
        )
    kind = SOLVERS[settings.solver]
    known = [f.name for f in fields(kind)]
    given = {"gram": lambda: model.gram, "steps": lambda: settings.steps}
    given["words"] = lambda: _words(model, candidates)
    options = [name for name in known if name not in given]
    unknown = sorted(set(settings.options) - set(options))
    if unknown:
        raise ValueError(
            f"solver {settings.solver} has no option {', '.join(unknown)} "
            f"(options: {', '.join(options)})"
        )
    return kind(**{n: given[n]() for n in known if n in given}, **settings.options)


def _words(model: FrozenTransformer, candidates: torch.Tensor | None) -> Words:
    everything = torch.arange(len(model.word_embeddings))
    ids = everything if candidates is None else candidates
    return Words(model.word_embeddings, ids.to(model.device))


def recorded_steps(steps: int, count: int) -> np.ndarray:
    """0, `steps`, about `count` whole steps evenly spaced on a log scale, and every tenth part.

    The tenths show whether an ascent had come to rest, which a log scale is too coarse for.
    """
    if steps == 0:
        return np.array([0])
    points = np.r_[0, np.geomspace(1, steps, count), np.linspace(0, steps, 11)]
    return np.unique(np.round(points).astype(int))


class _Seen(NamedTuple):
    """Of the objectives that climb: which go on, and of the others why not; (b,) each."""

    climbing: torch.Tensor
    finite: torch.Tensor
    dead: torch.Tensor
    converged: torch.Tensor


@dataclass
class _Climb:
    """All that an ascent is at one moment: nothing else decides how it goes on.

    queue: all objectives, deepest first, so that a batch computes few blocks for nothing; `next` the
    first that still waits. Of the b objectives that climb: rows, their places; step; state, the
    solver's; point and value, those to be kept; mark, the value a window ago.
    Of all n: what `Optima` holds. recorded: (r,), the steps of the curve, the last possible one too.
    """

    queue: torch.Tensor
    next: torch.Tensor
    rows: torch.Tensor
    step: torch.Tensor
    point: torch.Tensor
    value: torch.Tensor
    mark: torch.Tensor
    embedding: torch.Tensor
    activation: torch.Tensor
    finite: torch.Tensor
    dead: torch.Tensor
    converged: torch.Tensor
    taken: torch.Tensor
    curve: torch.Tensor
    recorded: torch.Tensor
    state: dict[str, torch.Tensor] = field(default_factory=dict)

    @classmethod
    def begin(cls, objectives: Objectives, start: torch.Tensor, settings: AscentSettings):
        n, recorded = len(start), recorded_steps(settings.steps, settings.recorded)
        whole = torch.zeros(n, dtype=torch.long, device=start.device)
        no = torch.zeros(n, dtype=torch.bool, device=start.device)
        return cls(
            queue=objectives.depth().argsort(descending=True, stable=True),
            next=whole.new_zeros(()),
            rows=whole[:0],
            step=whole[:0],
            point=start[:0],
            value=start[:0, 0],
            mark=start[:0, 0],
            embedding=start.clone(),
            activation=torch.full_like(start[:, 0], float("nan")),
            finite=~no,
            dead=no.clone(),
            converged=no.clone(),
            taken=whole.clone(),
            curve=start.new_full((len(recorded), n), float("nan")),
            recorded=torch.from_numpy(recorded).to(start.device),
        )

    @property
    def waiting(self) -> int:
        return len(self.queue) - int(self.next)

    def fill(self, solver: Solver, start: torch.Tensor, batch: int) -> None:
        """Let waiting objectives in, as many as there is room for."""
        first = int(self.next)
        new = self.queue[first : first + max(batch - len(self.rows), 0)]
        if not len(new):
            return
        self.next = self.next + len(new)
        begun = solver.begin(start[new])
        self.state = {
            k: torch.cat([self.state[k], t]) if self.state else t for k, t in begun.items()
        }
        self.rows = torch.cat([self.rows, new])
        self.step = torch.cat([self.step, torch.zeros_like(new)])
        self.point = torch.cat([self.point, start[new]])
        unseen = torch.full_like(start[new, 0], -torch.inf)
        self.value, self.mark = torch.cat([self.value, unseen]), torch.cat([self.mark, unseen])

    def count(self, settings: AscentSettings) -> tuple[int, int]:
        """Steps taken by all objectives, and steps that they still take at most."""
        left = int((settings.steps - self.step).sum()) + self.waiting * settings.steps
        return int(self.step.sum() + self.taken.sum()), left

    def see(self, keeps_best: bool, settings: AscentSettings, point, value, gradient) -> _Seen:
        """Keep what was seen at the points looked at, (b, H)."""
        finite = value.isfinite() & gradient.isfinite().all(dim=1)
        better = finite & (value > self.value) if keeps_best else finite
        self.point = torch.where(better[:, None], point, self.point)
        self.value = torch.where(better, value, self.value)
        dead = finite & (gradient == 0).all(dim=1)
        converged = torch.zeros_like(dead)
        if settings.tolerance:
            asked = self.step % settings.window == 0
            least = settings.tolerance * self.value.abs()
            converged = asked & (self.value - self.mark < least)
            self.mark = torch.where(asked, self.value, self.mark)
        place = torch.searchsorted(self.recorded, self.step)
        due = self.recorded[place] == self.step
        now = self.curve[place, self.rows]
        self.curve[place, self.rows] = torch.where(due, self.value, now)
        climbing = finite & ~dead & ~converged & (self.step < settings.steps)
        return _Seen(climbing, finite, dead, converged)

    def retire(self, seen: _Seen) -> None:
        """Take the objectives that have ended out of the batch."""
        on, finished = seen.climbing, ~seen.climbing
        rows = self.rows[finished]
        for name in ("finite", "dead", "converged"):
            getattr(self, name)[rows] = getattr(seen, name)[finished]
        self.embedding[rows] = self.point[finished]
        self.activation[rows] = self.value[finished]
        self.taken[rows] = self.step[finished]
        # The rest of the curve is where it ended.
        later = self.recorded[:, None] > self.step[finished]
        self.curve[:, rows] = torch.where(later, self.value[finished], self.curve[:, rows])
        for name in ("rows", "step", "point", "value", "mark"):
            setattr(self, name, getattr(self, name)[on])
        self.state = {name: t[on] for name, t in self.state.items()}

    def tensors(self) -> dict[str, torch.Tensor]:
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "state"}
        return own | {f"state.{name}": t for name, t in self.state.items()}

    @classmethod
    def resume(cls, snapshots: Snapshots, device):
        """The climb that a snapshot kept, or None."""
        kept = snapshots.read()
        if kept is None:
            return None
        kept = {name: t.to(device) for name, t in kept.items()}
        state = {
            k.removeprefix("state."): kept.pop(k) for k in list(kept) if k.startswith("state.")
        }
        return cls(**kept, state=state)

    def optima(self) -> Optima:
        # Never finite, not even at the start: such a row has no activation.
        none = self.activation == -torch.inf
        return Optima(
            embedding=self.embedding,
            activation=torch.where(none, torch.nan, self.activation),
            finite=self.finite,
            dead=self.dead,
            converged=self.converged,
            taken=self.taken,
            steps=self.recorded.cpu().numpy(),
            curve=torch.where(self.curve.isinf(), torch.nan, self.curve),
        )
