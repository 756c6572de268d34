"""Batch size of an ascent: enough objectives to keep the device busy, as far as memory allows."""

import os
import resource
import sys

import torch

from textualization.ascent.solvers import Solver
from textualization.models.transformer import FrozenTransformer

#: Rows of a matrix product beyond which a device gains no speed (benchmarks/).
BUSY_ROWS = {"cpu": 1536, "cuda": 16384}
#: Largest share of the memory left that a batch may take.
SHARE = 0.8


def fitting_batch(model: FrozenTransformer, solver: Solver, deepest: int, memory: float) -> int:
    """Compute the number of objectives that ascend together.

    Args:
        model: the model.
        solver: the solver, whose state takes memory.
        deepest: the deepest layer of an objective.
        memory: free memory, in bytes.

    Raises:
        MemoryError: not even one objective fits.
    """
    most = int(SHARE * memory / bytes_per_objective(model, solver, deepest))
    if most < 1:
        raise MemoryError(
            f"{memory / 2**20:.0f} MiB are left of this job's memory, too little for one "
            f"objective of layer {deepest}: give the job more (mem_mb)"
        )
    # In the first block only x is computed: one row per x. In deeper blocks, one row per token.
    rows = model.length if deepest == 1 else max(3, model.tokens)
    return min(most, max(1, BUSY_ROWS[torch.device(model.device).type] // rows))


def bytes_per_objective(model: FrozenTransformer, solver: Solver, deepest: int) -> int:
    """Return an upper bound of the memory of one more objective with its gradient, in bytes."""
    saved = max(3, model.tokens) * deepest * (8 * model.hidden + 2 * model.intermediate)
    temporary = 20 * model.hidden + 9 * model.intermediate
    if model.tokens > 3:  # attention multiplies out every pair of tokens
        temporary += 3 * model.tokens**2 * model.hidden
    one = torch.zeros(1, model.free, dtype=model.dtype, device=model.device)
    steps = torch.ones(1, dtype=torch.long, device=model.device)
    state = sum(t.numel() for t in solver.begin(one + 1, steps).values())
    # A move holds the old and the new state.
    working = getattr(solver, "working", 0)
    return one.element_size() * (saved + temporary + 2 * state + working)


def memory_left(device: str, allowed_mb: float | None) -> float:
    """Return the memory that this process may still take, in bytes.

    Args:
        device: the device; on a GPU, its free memory counts.
        allowed_mb: limit of the process in MiB; the machine's free memory counts if None.
    """
    if torch.device(device).type == "cuda":
        return float(torch.cuda.mem_get_info()[0])
    if allowed_mb is None:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return allowed_mb * 2**20 - peak * (1 if sys.platform == "darwin" else 1024)
