"""Ascent on a table of objectives by a protocol: neurons, groups, directions, nulls, experiments."""

import hashlib
import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from textualization.ascent.batching import fitting_batch, memory_left
from textualization.ascent.loop import AscentSettings, make_solver, run_ascent
from textualization.ascent.objectives import Objectives, weighted_sums
from textualization.ascent.snapshots import Snapshots
from textualization.ascent.starts import (
    deviation,
    draw_starts,
    largest_entries,
    neighbouring,
    optimum_vector,
)
from textualization.models.model import Model
from textualization.optima_arrays import OptimaArrays
from textualization.progress import bar

#: Objectives with vocabulary vectors in memory at a time.
CHUNK = 128
#: Columns that define an objective; all other columns describe it, `sign` among them.
NEURONS, IDENTITY, START, SIGN, STEPS = "neurons", "identity", "start", "sign", "steps"


@dataclass(frozen=True)
class Protocol:
    """Everything that determines an optimum. The defaults are the paper's (sec. 3).

    Args:
        solver, steps, options, tolerance, window, recorded: see `AscentSettings`.
        init: distribution of x₀: `kind` (`normal`, `uniform`), `scale` (standard deviation, or `words`,
            see `textualization.ascent.starts.deviation`).
        seed: seed of x₀, together with the identity of an objective.
        read: position at which neurons are read: `word`, `cls` or `sep`.
        seek: `maximum`, or `minimum`: all activations are then read negated.
        dtype: `float32` or `float64`.
        entries: number of largest entries of x to keep; 0 if x is not a single vocabulary vector.
        length: number of adjacent free positions, in place of the model's context; 1: as there.
        place: the one of these that is read, from 1.
        twin: whether every entry of the start is moved to a neighbouring number of `dtype`. What
            then changes in an optimum, any other rounding changes too.
    """

    solver: str = "paper"
    steps: int = 5000
    options: Mapping[str, float] = field(default_factory=lambda: {"rate": 1001.0})
    tolerance: float = 0.0
    window: int = 20
    recorded: int = 40
    init: Mapping = field(default_factory=lambda: {"kind": "normal", "scale": 1.0})
    seed: int = 0
    read: str = "word"
    seek: str = "maximum"
    dtype: str = "float32"
    entries: int = 10
    length: int = 1
    place: int = 1
    twin: bool = False

    @property
    def reading(self) -> dict:
        """How the model is to be read, as arguments of `Model`."""
        return {name: getattr(self, name) for name in ("read", "seek", "dtype")}

    @property
    def settings(self) -> AscentSettings:
        """The settings of the loop."""
        names = ("solver", "steps", "options", "tolerance", "window", "recorded")
        return AscentSettings(**{name: getattr(self, name) for name in names})


@dataclass
class Execution:
    """Execution of an ascent. It changes results only by rounding.

    Args:
        device: `cpu`, `cuda` or `auto`.
        threads: CPU threads; torch's setting if None.
        memory_mb: memory limit of the process in MiB; the machine's free memory if None.
        snapshots: prefix of the paths of snapshot files; None: no snapshots.
        snapshot_seconds: seconds between snapshots.
    """

    device: str = "auto"
    threads: int | None = None
    memory_mb: float | None = None
    snapshots: str | None = None
    snapshot_seconds: float = 300.0
    _kept: list[Snapshots] = field(default_factory=list)

    @classmethod
    def of_job(cls, job) -> "Execution":
        """Build from a Snakemake job's resources; its first output is the prefix of snapshots."""
        resources = job.resources
        seconds = resources.get("snapshot_seconds", cls.snapshot_seconds)
        return cls(resources.device, job.threads, resources.mem_mb, str(job.output[0]), seconds)

    def snapshots_for(self, fingerprint: str) -> Snapshots | None:
        """Open the snapshots of this process's next ascent; None without snapshots."""
        if self.snapshots is None:
            return None
        path = Path(f"{self.snapshots}.{len(self._kept)}.snapshot")
        kept = Snapshots(path, fingerprint, self.snapshot_seconds)
        if path.exists():
            refused = "snapshot refused (broken, or of other settings):"
            logging.info("%s %s", "resuming from" if kept.usable() else refused, path)
        self._kept.append(kept)
        return kept

    def remove_snapshots(self) -> None:
        """Remove all snapshots of this process, once its optima are saved."""
        for kept in self._kept:
            kept.remove()


def ascend_objectives(
    model: Model,
    objectives: pd.DataFrame,
    protocol: Protocol,
    execution: Execution | None = None,
    candidates: np.ndarray | None = None,
) -> OptimaArrays:
    """Ascend on the mean activation of every row's neurons, or on a weighted sum.

    Args:
        model: the model, read as `protocol.reading` says.
        objectives: one row per objective: `neurons`, a list of (site, layer, index) or a dict of
            weights (see `weighted_sums`); `identity`, the tuple that x₀ is drawn by; and any
            descriptive columns. May be empty. Three columns are optional: `sign`, -1 where the lowest
            activation is sought; `start`, e₀, (H,), in place of a drawn x₀; `steps`, a number of
            moves in place of the protocol's. The curves then have the points of every such number.
        protocol: everything that determines the optima.
        execution: device, threads, memory and snapshots; defaults if None.
        candidates: ids of the words that `adam` and `frank_wolfe` use; all entries if None.

    Returns:
        The optima, in the order of the rows. Activations and curves are the objectives' own, whatever
        the sign. From a given e₀, `largest_entries` are those of the shortest x with xE = e.

    Raises:
        ValueError: a group is empty, a neuron does not exist, or the solver lacks an option.
        ArithmeticError: more than half of the ascents break off at values that are not finite.
        MemoryError: not even one objective fits into memory.
    """
    execution = execution or Execution()
    defining = [name for name in (NEURONS, IDENTITY, START, STEPS) if name in objectives]
    facts = objectives.drop(columns=defining).reset_index(drop=True)
    if not len(objectives):
        return OptimaArrays.empty(facts)
    if execution.threads:
        torch.set_num_threads(execution.threads)
    adjacent = [None] * protocol.length if protocol.length > 1 else None
    transformer = model.transformer(protocol.dtype, adjacent, protocol.place)
    groups, identities = objectives[NEURONS].tolist(), objectives[IDENTITY].tolist()
    sums, words = weighted_sums(groups, transformer), model.embeddings.astype(np.float64)
    init = {"kind": protocol.init["kind"], "scale": deviation(protocol.init["scale"], words)}
    signs = objectives.get(SIGN, pd.Series(1, objectives.index)).to_numpy()
    sought = sums.signed(torch.tensor(signs, device=transformer.device))
    steps = torch.tensor(
        objectives.get(STEPS, pd.Series(protocol.steps, objectives.index)).to_numpy()
    )

    def draw(rows, position=1):
        # x₀ of the first position does not depend on the number of positions.
        names = [(*name, position) if position > 1 else name for name in identities[rows]]
        return draw_starts(protocol.seed, names, len(words), **init)

    chunks = [slice(i, i + CHUNK) for i in range(0, len(groups), CHUNK)]
    if START in objectives:
        start = np.stack(objectives[START]).astype(np.float64)
    else:
        positions = range(1, transformer.length + 1)
        start = [np.concatenate([draw(r, i) @ words for i in positions], axis=1) for r in chunks]
        start = np.concatenate(start)
    begun = start
    if protocol.twin:
        begun = neighbouring(start.astype(protocol.dtype), protocol.seed, identities)
    candidates = None if candidates is None else torch.as_tensor(candidates)
    solver = make_solver(protocol.settings, transformer, candidates)
    left = memory_left(transformer.device, execution.memory_mb)
    batch = fitting_batch(transformer, solver, int(sums.depth().max()), left)
    logging.info("%d objectives, up to %d per batch", len(groups), batch)
    snapshots = None
    if execution.snapshots is not None:
        rest = (
            protocol,
            transformer.layout,
            transformer.sign,
            transformer.device,
            execution.threads,
            steps.tolist(),
        )
        snapshots = execution.snapshots_for(_fingerprint(model, sought, start, *rest))
    start_tensor = torch.from_numpy(begun)
    with bar("ascend", "steps") as shown:
        progress = _Progress() if shown.disable else _steps_of(shown)
        how = (protocol.settings, batch, snapshots, progress, candidates, steps)
        found = run_ascent(transformer, sought, start_tensor, *how)
    _check_broken(found.finite)
    embedding, largest = found.embedding.double().cpu().numpy(), np.empty((len(groups), 0), int)
    if protocol.entries:
        # A given e₀ has no x₀; from 0, the nearest x is the shortest.
        origins = ((0.0, 0.0) if START in objectives else (draw(r), start[r]) for r in chunks)
        vectors = (
            optimum_vector(*origin, embedding[r], words)
            for origin, r in zip(origins, chunks, strict=True)
        )
        largest = np.concatenate([largest_entries(x, protocol.entries) for x in vectors])
    return OptimaArrays(
        objectives=facts,
        start=start_tensor.float().numpy(),
        embedding=found.embedding.float().cpu().numpy(),
        activation=found.activation.double().cpu().numpy() * signs,
        ceiling=sums.ceiling(transformer).numpy(),
        largest_entries=largest,
        finite=found.finite.cpu().numpy(),
        dead=found.dead.cpu().numpy(),
        taken=found.taken.cpu().numpy(),
        steps=found.steps,
        curve=found.curve.float().cpu().numpy() * signs.astype(np.float32),
    )


def _check_broken(finite: torch.Tensor) -> None:
    """Raise ArithmeticError if most ascents broke off; log those that did."""
    broken = int((~finite).sum())
    if broken > len(finite) / 2:
        raise ArithmeticError(
            f"{broken} of {len(finite)} ascents broke off at values or gradients that are not "
            "finite (use a smaller ascent.rate or ascent.init.scale, or ascent.dtype float64)"
        )
    if broken:
        logging.info("%d ascents broke off at values or gradients that are not finite", broken)


def _fingerprint(model: Model, sought: Objectives, start, protocol: Protocol, *how) -> str:
    """Hash everything that determines the optima: model, objectives, starts, settings and code."""
    found = hashlib.blake2b(start.tobytes(), digest_size=16)
    found.update(model.fingerprint.encode())
    library = Path(__file__).parents[1]
    for folder in ("ascent", "models", "models/forward"):
        for path in sorted((library / folder).glob("*.py")):
            found.update(path.read_bytes())
    for tap, weights in sought.weights.items():
        found.update(repr((tap, sought.neurons[tap].tolist())).encode())
        found.update(weights.cpu().numpy().tobytes())
    found.update(repr((asdict(protocol), how, torch.__version__)).encode())
    return found.hexdigest()


def _steps_of(shown):
    """Return a function that moves a bar to the steps taken, of those taken and left."""

    def move(taken: int, left: int, activation) -> None:
        shown.total = taken + left
        shown.update(taken - shown.n)

    return move


class _Progress:
    """Log line every ten seconds: steps taken and left, speed, time left."""

    def __init__(self):
        self.began, self.resumed_at, self.logged = time.monotonic(), None, 0.0

    def __call__(self, taken: int, left: int, activation) -> None:
        now = time.monotonic()
        if self.resumed_at is None:
            self.resumed_at = taken
        if now - self.logged < 10 and left:
            return
        rate = (taken - self.resumed_at) / max(now - self.began, 1e-9)
        time_left = f", at most {left / rate / 60:.1f} min left" if rate > 0 and left else ""
        logging.info(
            "%d steps taken, at most %d left (%.0f per second%s): mean activation %.4f",
            taken, left, rate, time_left, float(activation),
        )  # fmt: skip
        self.logged = now
