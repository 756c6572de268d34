"""Exact upper bounds of activations, from the geometry of LayerNorm.

LayerNorm writes γ⊙n + β with n of mean zero and length at most √H, so no input whatsoever takes a
neuron, or a weighted sum of neurons, past a bound that the weights alone decide.
"""

import numpy as np


def linear_ceiling(weights, gain, bias) -> np.ndarray:
    """The largest value of Σ w·(γ⊙n + β) over all n of mean zero with ‖n‖ = √H.

    weights: (n, H), one row per linear read-out; gain, bias: (H,), LayerNorm's γ and β.
    Returns (n,): √H·‖P(γ⊙w)‖ + w·β, where P removes the mean.
    """
    weights, gain, bias = (np.asarray(a, dtype=np.float64) for a in (weights, gain, bias))
    scaled = weights * gain
    scaled = scaled - scaled.mean(axis=1, keepdims=True)
    return np.sqrt(weights.shape[1]) * np.linalg.norm(scaled, axis=1) + weights @ bias


def output_ceiling(gain, bias) -> np.ndarray:
    """Ceiling of every `output` neuron of a block: β_i + |γ_i|·√(H−1). Returns (H,)."""
    gain, bias = (np.asarray(a, dtype=np.float64) for a in (gain, bias))
    return bias + np.abs(gain) * np.sqrt(len(gain) - 1)


def intermediate_ceiling(weight, offset, gain, bias, activation) -> np.ndarray:
    """Ceiling of every `intermediate` neuron of a block.

    weight: (I, H) and offset: (I,), the feed-forward layer; gain, bias: (H,), of the LayerNorm
    before it; activation: the non-linearity, a function of arrays that lies below zero left of the
    origin and rises right of it (ReLU, GELU).
    Returns (I,): the non-linearity at the pre-activation's ceiling, or 0 if that is negative.
    """
    before = linear_ceiling(weight, gain, bias) + np.asarray(offset, dtype=np.float64)
    return np.maximum(activation(before), 0.0)
