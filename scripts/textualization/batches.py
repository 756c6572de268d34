"""How many objectives climb together: enough to keep the device busy, no more than memory holds."""

import resource
import sys

import torch

from textualization.solvers import Solver
from textualization.transformer import FrozenTransformer

#: Rows of a matrix product beyond which a device multiplies no faster (benchmarks/).
BUSY_ROWS = {"cpu": 1536, "cuda": 16384}
#: A batch takes no more of the memory that is left than this share.
SHARE = 0.8


def fitting_batch(model: FrozenTransformer, solver: Solver, deepest: int, memory: float) -> int:
    """The engine's own batch. deepest: the deepest layer climbed. memory: bytes free for it.

    Raises MemoryError if not even one objective fits.
    """
    most = int(SHARE * memory / bytes_per_objective(model, solver, deepest))
    if most < 1:
        raise MemoryError(
            f"{memory / 2**20:.0f} MiB are left of this job's memory, too little for one "
            f"objective of layer {deepest}: give the job more (mem_mb)"
        )
    # In the first block nothing but x moves: one row of a product for every x, else every token's.
    rows = model.length if deepest == 1 else max(3, model.tokens)
    return min(most, max(1, BUSY_ROWS[torch.device(model.device).type] // rows))


def bytes_per_objective(model: FrozenTransformer, solver: Solver, deepest: int) -> int:
    """What one more objective takes at most, while its gradient is computed."""
    kept = max(3, model.tokens) * deepest * (8 * model.hidden + 2 * model.intermediate)
    passing = 20 * model.hidden + 9 * model.intermediate
    one = torch.zeros(1, model.free, dtype=model.dtype, device=model.device)
    state = sum(t.numel() for t in solver.begin(one + 1).values())
    # A state is there twice while it moves.
    working = getattr(solver, "working", 0)
    return one.element_size() * (kept + passing + 2 * state + working)


def memory_left(device: str, allowed_mb: float) -> float:
    """Bytes that this process may still take: of its allowance, or of the GPU's free memory."""
    if torch.device(device).type == "cuda":
        return float(torch.cuda.mem_get_info()[0])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return allowed_mb * 2**20 - peak * (1 if sys.platform == "darwin" else 1024)
