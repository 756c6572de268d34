"""Loop of gradient ascent, independent of objectives (`objectives`) and of solvers (`solvers`).

A batch of objectives ascends together. An objective that finishes is replaced by a waiting one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import NamedTuple

import numpy as np
import torch

from textualization import registry
from textualization.ascent.cuda_graph import Evaluation
from textualization.ascent.objectives import Objectives
from textualization.ascent.parametrisations import Words
from textualization.ascent.snapshots import Snapshots
from textualization.ascent.solvers import SOLVERS, Solver
from textualization.models.transformer import FrozenTransformer


@dataclass(frozen=True)
class AscentSettings:
    """Settings of an ascent. The defaults are the paper's protocol (sec. 3).

    Args:
        solver: `paper` (plain ascent in vocabulary space); `lbfgs`, `sphere` (fewer steps to the
            same activation); `adam`, `frank_wolfe` (see `textualization.ascent.parametrisations`).
        steps: number of moves. The gradient is computed once more, at the last point. Objectives may
            have numbers of their own, see `run_ascent`.
        options: options of the solver, see its class.
        tolerance: an ascent stops early if its activation rises by less than this share over
            `window` steps; 0: never.
        window: number of steps over which the rise is measured.
        recorded: approximate number of points of the curve, evenly spaced on a log scale. Where
            objectives have numbers of steps of their own, each number adds its points.
    """

    solver: str = "paper"
    steps: int = 5000
    options: Mapping[str, float] = field(default_factory=dict)
    tolerance: float = 0.0
    window: int = 20
    recorded: int = 40


@dataclass(frozen=True)
class AscentResult:
    """Result of n ascents.

    Args:
        embedding: the inputs e, (n, H). Broken and dead ascents keep their last good point.
        activation: the activation at e, (n,). e is the best point of solvers with `keeps_best`,
            else the last point.
        finite: False where a value or gradient was not finite, (n,).
        dead: True where the gradient vanished, (n,).
        converged: True where the ascent stopped by its tolerance, (n,).
        taken: number of steps taken, (n,).
        steps: recorded steps, (r,).
        curve: activation at the recorded steps, (r, n); constant after the end of an ascent.
    """

    embedding: torch.Tensor
    activation: torch.Tensor
    finite: torch.Tensor
    dead: torch.Tensor
    converged: torch.Tensor
    taken: torch.Tensor
    steps: np.ndarray
    curve: torch.Tensor


def run_ascent(
    model: FrozenTransformer,
    objectives: Objectives,
    start: torch.Tensor,
    settings: AscentSettings,
    batch: int | None = None,
    snapshots: Snapshots | None = None,
    progress: Callable[[int, int, torch.Tensor], None] | None = None,
    candidates: torch.Tensor | None = None,
    steps: torch.Tensor | None = None,
) -> AscentResult:
    """Ascend from given starts.

    Args:
        model: the model.
        objectives: n objectives.
        start: e₀ = x₀E, (n, H); with several free positions (n, length · H).
        settings: settings of the ascent.
        batch: number of objectives that ascend together; all if None. Only rounding depends on it.
        snapshots: snapshots to resume from and to write.
        progress: called with the steps taken, the most steps left, and the batch's mean activation,
            a tensor whose reading waits for a GPU.
        candidates: ids of the words that `adam` and `frank_wolfe` use; all entries if None.
        steps: number of moves of each objective, (n,), in place of `settings.steps`.

    Returns:
        The result, in the order of the objectives.

    Raises:
        ValueError: the solver or an option is unknown, or a solver other than `paper` is used with
            several free positions.
    """
    start = start.to(device=model.device, dtype=model.dtype)
    solver = make_solver(settings, model, candidates)
    steps = torch.full((len(start),), settings.steps) if steps is None else steps
    state = _State.resume(snapshots, model.device) if snapshots else None
    state = state or _State.begin(objectives, start, steps.to(model.device), settings)
    state.fill(solver, start, batch or len(start))
    evaluate = Evaluation(objectives.rows(state.rows), model)
    taken, left = state.count()
    while len(state.rows):
        point = solver.look(state.solver_state)
        value, gradient = evaluate(point)
        outcome = state.observe(solver.keeps_best, settings, point, value, gradient)
        # Waits for a GPU, as storing the pairs of lbfgs does.
        some_ended = not outcome.ascending.all()
        if progress:
            progress(taken, left, value.nanmean())
        if some_ended:
            state.retire(outcome)
            value, gradient = value[outcome.ascending], gradient[outcome.ascending]
        if len(state.rows):
            done = state.step.to(value.dtype) / state.steps[state.rows]
            state.solver_state = solver.move(state.solver_state, value, gradient, done)
            state.step = state.step + 1
            taken, left = taken + len(state.rows), left - len(state.rows)
        if some_ended:
            state.fill(solver, start, batch or len(start))
            evaluate = Evaluation(objectives.rows(state.rows), model)
            taken, left = state.count()
        if snapshots and snapshots.due():
            snapshots.write(state.tensors())
    if snapshots:
        snapshots.write(state.tensors())
    return state.result()


def make_solver(
    settings: AscentSettings, model: FrozenTransformer, candidates: torch.Tensor | None = None
) -> Solver:
    """Build the solver of the settings for a model; arguments and errors as in `run_ascent`."""
    if settings.solver not in SOLVERS:
        raise ValueError(f"unknown solver {settings.solver!r} (known: {', '.join(SOLVERS)})")
    if model.length > 1 and not registry.SOLVERS[settings.solver].several:
        raise ValueError(f"solver {settings.solver} moves one free position, not {model.length}")
    kind = SOLVERS[settings.solver]
    known = [f.name for f in fields(kind)]
    given = {"gram": lambda: model.gram, "words": lambda: _words(model, candidates)}
    options = [name for name in known if name not in given]
    unknown = sorted(set(settings.options) - set(options))
    if unknown:
        raise ValueError(
            f"solver {settings.solver} has no option {', '.join(unknown)} "
            f"(options: {', '.join(options)})"
        )
    return kind(**{n: given[n]() for n in known if n in given}, **settings.options)


def _words(model: FrozenTransformer, candidates: torch.Tensor | None) -> Words:
    """Return the words that a solver uses."""
    everything = torch.arange(len(model.word_embeddings))
    ids = everything if candidates is None else candidates
    return Words(model.word_embeddings, ids.to(model.device))


def recorded_steps(steps: int, count: int) -> np.ndarray:
    """Return the steps to record: about `count` on a log scale, and every tenth of `steps`.

    The tenths show whether an ascent has converged; the log scale is too coarse for this.
    """
    if steps == 0:
        return np.array([0])
    points = np.r_[0, np.geomspace(1, steps, count), np.linspace(0, steps, 11)]
    return np.unique(np.round(points).astype(int))


class _Outcome(NamedTuple):
    """Which objectives of the batch go on ascending, and why the others end; (b,) each."""

    ascending: torch.Tensor
    finite: torch.Tensor
    dead: torch.Tensor
    converged: torch.Tensor


@dataclass
class _State:
    """Complete state of an ascent: b objectives in the batch, n in all (as in `AscentResult`)."""

    queue: torch.Tensor  # all objectives, deepest first, so that a batch has similar depths
    steps: torch.Tensor  # number of moves of each objective, (n,)
    next: torch.Tensor  # place in the queue of the first waiting objective
    rows: torch.Tensor  # objectives in the batch, (b,)
    step: torch.Tensor
    point: torch.Tensor  # e so far, (b, H)
    value: torch.Tensor  # activation at `point`
    mark: torch.Tensor  # value one window ago
    embedding: torch.Tensor
    activation: torch.Tensor
    finite: torch.Tensor
    dead: torch.Tensor
    converged: torch.Tensor
    taken: torch.Tensor
    curve: torch.Tensor
    recorded: torch.Tensor  # recorded steps, (r,)
    solver_state: dict[str, torch.Tensor] = field(default_factory=dict)

    @classmethod
    def begin(cls, objectives: Objectives, start: torch.Tensor, steps, settings: AscentSettings):
        n, counts = len(start), steps.unique().tolist()
        recorded = [recorded_steps(count, settings.recorded) for count in counts]
        recorded = np.unique(np.concatenate(recorded))
        whole = torch.zeros(n, dtype=torch.long, device=start.device)
        no = torch.zeros(n, dtype=torch.bool, device=start.device)
        return cls(
            queue=objectives.depth().argsort(descending=True, stable=True),
            steps=steps,
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

    def fill(self, solver: Solver, start: torch.Tensor, batch: int) -> None:
        """Move waiting objectives into the batch while there is room."""
        first = int(self.next)
        new = self.queue[first : first + max(batch - len(self.rows), 0)]
        if not len(new):
            return
        self.next = self.next + len(new)
        initial = solver.begin(start[new], self.steps[new])
        self.solver_state = {
            k: torch.cat([self.solver_state[k], t]) if self.solver_state else t
            for k, t in initial.items()
        }
        self.rows = torch.cat([self.rows, new])
        self.step = torch.cat([self.step, torch.zeros_like(new)])
        self.point = torch.cat([self.point, start[new]])
        unseen = torch.full_like(start[new, 0], -torch.inf)
        self.value, self.mark = torch.cat([self.value, unseen]), torch.cat([self.mark, unseen])

    def count(self) -> tuple[int, int]:
        """Return the steps that all objectives have taken, and the most steps left."""
        waiting = self.steps[self.queue[int(self.next) :]]
        left = int((self.steps[self.rows] - self.step).sum() + waiting.sum())
        return int(self.step.sum() + self.taken.sum()), left

    def observe(
        self, keeps_best: bool, settings: AscentSettings, point, value, gradient
    ) -> _Outcome:
        """Update the points and curves with the values and gradients at new points, (b, H)."""
        finite = value.isfinite() & gradient.isfinite().all(dim=1)
        better = finite & (value > self.value) if keeps_best else finite
        self.point = torch.where(better[:, None], point, self.point)
        self.value = torch.where(better, value, self.value)
        dead = finite & (gradient == 0).all(dim=1)
        converged = torch.zeros_like(dead)
        if settings.tolerance:
            check = self.step % settings.window == 0
            least = settings.tolerance * self.value.abs()
            converged = check & (self.value - self.mark < least)
            self.mark = torch.where(check, self.value, self.mark)
        place = torch.searchsorted(self.recorded, self.step)
        due = self.recorded[place] == self.step
        now = self.curve[place, self.rows]
        self.curve[place, self.rows] = torch.where(due, self.value, now)
        ascending = finite & ~dead & ~converged & (self.step < self.steps[self.rows])
        return _Outcome(ascending, finite, dead, converged)

    def retire(self, outcome: _Outcome) -> None:
        """Remove finished objectives from the batch and store their results."""
        on, finished = outcome.ascending, ~outcome.ascending
        rows = self.rows[finished]
        for name in ("finite", "dead", "converged"):
            getattr(self, name)[rows] = getattr(outcome, name)[finished]
        self.embedding[rows] = self.point[finished]
        self.activation[rows] = self.value[finished]
        self.taken[rows] = self.step[finished]
        # The rest of the curve is constant.
        later = self.recorded[:, None] > self.step[finished]
        self.curve[:, rows] = torch.where(later, self.value[finished], self.curve[:, rows])
        for name in ("rows", "step", "point", "value", "mark"):
            setattr(self, name, getattr(self, name)[on])
        self.solver_state = {name: t[on] for name, t in self.solver_state.items()}

    def tensors(self) -> dict[str, torch.Tensor]:
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "solver_state"}
        return own | {f"state.{name}": t for name, t in self.solver_state.items()}

    @classmethod
    def resume(cls, snapshots: Snapshots, device):
        """Return the state in a snapshot, or None."""
        kept = snapshots.read()
        if kept is None:
            return None
        kept = {name: t.to(device) for name, t in kept.items()}
        state = {
            k.removeprefix("state."): kept.pop(k) for k in list(kept) if k.startswith("state.")
        }
        return cls(**kept, solver_state=state)

    def result(self) -> AscentResult:
        # A row that was not finite even at its start has no activation.
        none = self.activation == -torch.inf
        return AscentResult(
            embedding=self.embedding,
            activation=torch.where(none, torch.nan, self.activation),
            finite=self.finite,
            dead=self.dead,
            converged=self.converged,
            taken=self.taken,
            steps=self.recorded.cpu().numpy(),
            curve=torch.where(self.curve.isinf(), torch.nan, self.curve),
        )
