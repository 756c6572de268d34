"""One batch of objectives, climbed and kept: what the two ascent scripts share."""

import hashlib
import logging
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from model_access import load_model
from textualization.ascent import (
    AscentSettings,
    ascend,
    ascend_mixed,
    make_solver,
)
from textualization.batches import fitting_batch, memory_left
from textualization.dependencies import local_imports
from textualization.files import atomic
from textualization.objectives import mean_of
from textualization.snapshots import Snapshots
from textualization.starts import largest_entries, vocabulary_vector, vocabulary_vectors

#: Objectives whose vocabulary vectors are in memory at a time.
CHUNK = 128


def climb(groups, identities, labels, protocol, weights, job, optima) -> None:
    """Ascend on the mean activation of every group; write the optima to the file `optima`.

    The arguments are those of `climbed`. Where words are skipped, a batch may have none to climb.
    """
    if not groups:
        with atomic(optima) as file:
            save_file({"activation": np.empty(0)}, file)
        return
    tensors, snapshots = climbed(groups, identities, labels, protocol, weights, job, optima)
    with atomic(optima) as file:
        save_file(tensors, file)
    for kept in snapshots:
        kept.remove()


def climbed(groups, identities, labels, protocol, weights, job, place, candidates=None):
    """Ascend on the mean activation of every group.

    groups: lists of (site, layer, index). identities: what x₀ is drawn by, one tuple each. labels:
    names and whole numbers, one per objective, kept with the optima.
    protocol: all that decides the optima: `settings` (of AscentSettings), `precision` (`dtype`,
    `products` of the first steps and the share `polish` of the last), `init` and `seed` of x₀, `read`,
    and `entries`, how many of the largest of x are kept (of the paper's one x; else 0). Also `length`,
    how many x stand in a row (1), and `place`, which of them is read (the first).
    candidates: the words' ids, for solvers that measure by them.
    weights: the frozen model's file. job: how, not what: `device`, `threads`,
    `memory_mb`, and `snapshot_seconds` between two snapshots, in files named after `place`.

    Returns the optima, arrays by name (see `optima.read_batches`), and the snapshots,
    to be removed once the optima are safe.
    Raises ArithmeticError if more than half of the ascents break off.
    """
    torch.set_num_threads(job["threads"])
    precision, seed, init = (protocol[k] for k in ("precision", "seed", "init"))
    length = protocol.get("length", 1)
    load = partial(
        load_model,
        weights,
        read=protocol["read"],
        device=job["device"],
        dtype=precision["dtype"],
        length=length,
        place=protocol.get("place", 1),
    )
    model = load()
    objectives, words = mean_of(groups, model), model.word_embeddings.double().cpu().numpy()

    def draw(rows, position=1):
        # The first position's x₀ is the same, however many follow.
        names = [(*name, position) if position > 1 else name for name in identities[rows]]
        return vocabulary_vectors(seed, names, len(words), **init)

    chunks = [slice(i, i + CHUNK) for i in range(0, len(groups), CHUNK)]
    positions = range(1, length + 1)
    start = [np.concatenate([draw(rows, i) @ words for i in positions], axis=1) for rows in chunks]
    start = np.concatenate(start)
    how = AscentSettings(**protocol["settings"])
    candidates = None if candidates is None else torch.as_tensor(candidates)
    solver = make_solver(how, model, candidates)
    left = memory_left(model.device, job["memory_mb"])
    batch = fitting_batch(model, solver, int(objectives.depth().max()), left)
    logging.info("%d objectives, up to %d together", len(groups), batch)

    fingerprint = _fingerprint(weights, groups, start, protocol, model.device, job["threads"])
    stages = {}

    def snapshots(stage):
        path = Path(f"{place}.{stage}.snapshot")
        stages[stage] = Snapshots(path, f"{stage} {fingerprint}", job["snapshot_seconds"])
        if path.exists():
            refused = "refused, broken or of other settings:"
            what = "going on from" if stages[stage].usable() else refused
            logging.info("%s %s", what, path)
        return stages[stage]

    start_tensor, told = torch.from_numpy(start), _Progress()
    if precision["products"] == "same":
        kept = snapshots("whole")
        found = ascend(model, objectives, start_tensor, how, batch, kept, told, candidates)
    else:
        rough, polish = load(products=precision["products"]), precision["polish"]
        found = ascend_mixed(
            model, rough, objectives, start_tensor, how, polish, batch, snapshots, told
        )
    broken = int((~found.finite).sum())
    if broken > len(groups) / 2:
        raise ArithmeticError(
            f"{broken} of {len(groups)} ascents broke off, at values or gradients that are not finite: "
            "take a smaller ascent.rate or ascent.init.scale, or ascent.precision.dtype float64"
        )
    if broken:
        logging.info("%d ascents broke off, where values or gradients are not finite", broken)
    embedding, largest = found.embedding.double().cpu().numpy(), np.empty((len(groups), 0), int)
    if protocol["entries"]:
        vectors = (vocabulary_vector(draw(r), start[r], embedding[r], words) for r in chunks)
        largest = np.concatenate([largest_entries(x, protocol["entries"]) for x in vectors])
    tensors = {
        "start": start_tensor.float(),
        "embedding": found.embedding.float(),
        "activation": found.activation.double(),
        "ceiling": objectives.ceiling(model),
        "largest_entries": torch.from_numpy(largest),
        "finite": found.finite,
        "dead": found.dead,
        "taken": found.taken,
        "steps": torch.from_numpy(found.steps),
        "curve": found.curve.float(),
    }
    tensors |= {name: torch.as_tensor(values) for name, values in labels.items()}
    return {name: t.contiguous().cpu().numpy() for name, t in tensors.items()}, stages.values()


def job_of(snakemake) -> dict:
    """How a job climbs, as `climbed` takes it: what changes no result beyond rounding."""
    return {
        "device": snakemake.resources.device,
        "threads": snakemake.threads,
        "memory_mb": snakemake.resources.mem_mb,
        "snapshot_seconds": snakemake.resources.snapshot_seconds,
    }


def _fingerprint(weights, groups, start, *settings) -> str:
    """Of all that decides the optima: weights, groups, starts, settings, and this code itself."""
    found = hashlib.blake2b(start.tobytes(), digest_size=16)
    for path in (weights, *local_imports(__file__)):
        found.update(Path(path).read_bytes())
    found.update(repr((groups, settings, torch.__version__)).encode())
    return found.hexdigest()


class _Progress:
    """A line in the log every ten seconds: how far, how fast, how long still."""

    def __init__(self):
        self.began, self.done, self.told = time.monotonic(), None, 0.0

    def __call__(self, taken: int, left: int, activation) -> None:
        now = time.monotonic()
        if self.done is None:
            self.done = taken
        if now - self.told < 10 and left:
            return
        rate = (taken - self.done) / max(now - self.began, 1e-9)
        rest = f", {left / rate / 60:.1f} min left at most" if rate > 0 and left else ""
        logging.info(
            "%d steps taken, %d left at most (%.0f a second%s): mean activation %.4f",
            taken, left, rate, rest, float(activation),
        )  # fmt: skip
        self.told = now
