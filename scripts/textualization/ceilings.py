"""Exact upper bounds of activations, from the geometry of LayerNorm and RMSNorm.

LayerNorm writes γ⊙n + β with n of mean zero and length at most √H, RMSNorm the same with n of any mean;
so no input whatsoever takes a neuron, or a weighted sum of neurons, past a bound that the weights
alone decide. Where nothing normalises a state there is no such bound.
"""

import numpy as np

#: Angles at which a gated neuron is looked at, before the best is refined.
GRID = 2001
#: Gated neurons at a time.
CHUNK = 256


def linear_ceiling(weights, gain, bias, centred: bool = True) -> np.ndarray:
    """The largest value of Σ w·(γ⊙n + β) over all n of length √H and, if centred, of mean zero.

    weights: (n, H), one row per linear read-out; gain, bias: (H,), the norm's γ and β. centred: true
    of LayerNorm, not of RMSNorm.
    Returns (n,): √H·‖P(γ⊙w)‖ + w·β, where P removes the mean (or nothing).
    """
    weights, gain, bias = (np.asarray(a, dtype=np.float64) for a in (weights, gain, bias))
    scaled = _scaled(weights, gain, centred)
    return np.sqrt(weights.shape[1]) * np.linalg.norm(scaled, axis=1) + weights @ bias


def output_ceiling(gain, bias) -> np.ndarray:
    """Ceiling of every neuron that LayerNorm writes: β_i + |γ_i|·√(H−1). Returns (H,)."""
    gain, bias = (np.asarray(a, dtype=np.float64) for a in (gain, bias))
    return bias + np.abs(gain) * np.sqrt(len(gain) - 1)


def intermediate_ceiling(weight, offset, gain, bias, activation, centred=True) -> np.ndarray:
    """Ceiling of every `intermediate` neuron of a block.

    weight: (I, H) and offset: (I,), the feed-forward layer; gain, bias: (H,), of the norm before it;
    activation: the non-linearity, a function of arrays that lies below zero left of the origin and
    rises right of it (ReLU, GELU, SiLU). centred: see `linear_ceiling`.
    Returns (I,): the non-linearity at the pre-activation's ceiling, or 0 if that is negative.
    """
    before = linear_ceiling(weight, gain, bias, centred) + np.asarray(offset, dtype=np.float64)
    return np.maximum(activation(before), 0.0)


def gated_ceiling(
    gate, gate_offset, weight, offset, gain, bias, activation, centred=True
) -> np.ndarray:
    """Ceiling of every neuron f(gate)·value of a gated layer (Shazeer 2020, arXiv 2002.05202).

    gate, weight: (I, H), gate_offset, offset: (I,), the two linear maps; the rest as above.
    Gate and value see the norm's n through one direction each, and so lie in an ellipse; at a given
    gate the best value is on its rim. What is left is a maximum over one angle, by a grid, and golden
    sections about its best point. Returns (I,).
    """
    gate, weight, gain, bias = (np.asarray(a, dtype=np.float64) for a in (gate, weight, gain, bias))
    parts = [slice(first, first + CHUNK) for first in range(0, len(gate), CHUNK)]
    radius, found = np.sqrt(gate.shape[1]), np.empty(len(gate))
    for rows in parts:
        a, b = (_scaled(w[rows], gain, centred) for w in (gate, weight))
        far, wide = (radius * np.linalg.norm(w, axis=1) for w in (a, b))
        product = far * wide
        cosine = np.divide(
            radius**2 * (a * b).sum(axis=1), product, out=np.zeros_like(product), where=product > 0
        )
        cosine = np.clip(cosine, -1, 1)
        at, beside = gate[rows] @ bias + gate_offset[rows], weight[rows] @ bias + offset[rows]

        def most(angle, far=far, wide=wide, cosine=cosine, at=at, beside=beside):
            """The most at a gate of at + far·sin(angle). angle: (..., neurons)."""
            share = np.sin(angle)
            opened = activation(at + far * share)
            rim = wide * np.sqrt(1 - cosine**2) * np.abs(np.cos(angle))
            return opened * (beside + wide * cosine * share) + np.abs(opened) * rim

        grid = np.linspace(-np.pi / 2, np.pi / 2, GRID)
        best = grid[most(grid[:, None]).argmax(axis=0)]
        step = grid[1] - grid[0]
        found[rows] = _golden(most, best - step, best + step)
    return found


def _scaled(weights, gain, centred):
    """A read-out as n meets it: γ⊙w, without its mean if n has none."""
    scaled = weights * gain
    return scaled - scaled.mean(axis=1, keepdims=True) if centred else scaled


def _golden(function, low, high):
    """The highest value between low and high, by golden sections. low, high: (n,)."""
    share = (np.sqrt(5) - 1) / 2
    best = np.maximum(function((low + high) / 2), np.maximum(function(low), function(high)))
    for _ in range(60):
        left, right = high - share * (high - low), low + share * (high - low)
        at_left, at_right = function(left), function(right)
        best = np.maximum(best, np.maximum(at_left, at_right))
        low, high = (
            np.where(at_left < at_right, left, low),
            np.where(at_left < at_right, high, right),
        )
    return best
