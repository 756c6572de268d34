"""What there is to do and how fast it could go: operations counted, matrix products timed."""

import time

import torch
import torch.nn.functional as F


def products(shape, layer: int):
    """The matrix products that the gradient of an `output` neuron cannot do without.

    shape: (hidden, intermediate). Returns (rows per objective, from, to) of each product of the forward
    pass; the backward pass has the same ones, turned round. Constant tokens of the first block, blocks
    above the neuron, and all but the read position in its own block are not needed.
    """
    hidden, inner = shape
    needed = []
    for block in range(1, layer + 1):
        moving = 1 if block == 1 else 3
        rest = 1 if block == layer else 3
        if block == layer and block > 1:
            needed += [(1, hidden, hidden), (3, hidden, 2 * hidden)]
        else:
            needed += [(moving, hidden, 3 * hidden)]
        needed += [(rest, hidden, hidden), (rest, hidden, inner), (rest, inner, hidden)]
    return needed


def operations(shape, layer: int) -> int:
    """Floating-point operations of one step of one objective: products both ways, and EᵀE·∇."""
    hidden, _ = shape
    both_ways = 2 * sum(2 * rows * a * b for rows, a, b in products(shape, layer))
    return both_ways + 2 * hidden * hidden


def matmul_rate(
    shape, layer: int, batch: int, seconds: float, device="cpu", dtype=torch.float32
) -> float:
    """Operations a second of these products alone, one after another, forwards and backwards."""
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    calls, done = [], 0
    for rows, a, b in set(products(shape, layer)):
        times = products(shape, layer).count((rows, a, b))
        x, y, weight, bias = (
            torch.randn(*size, device=device).to(dtype)
            for size in ((batch * rows, a), (batch * rows, b), (b, a), (b,))
        )
        calls.append((times, x, y, weight, bias))
        done += 2 * 2 * times * batch * rows * a * b
    best, ends = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < ends or best == float("inf"):
        took = 0.0
        for times, x, y, weight, bias in calls:
            wait()
            began = time.perf_counter()
            F.linear(x, weight, bias)
            y @ weight
            wait()
            took += times * (time.perf_counter() - began)
        best = min(best, took)
    return done / best
