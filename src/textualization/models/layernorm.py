"""Activations to expect from LayerNorm alone, as a reference for measured activations.

LayerNorm gives every state mean 0 and root mean square 1. If nothing else is known about a state,
its coordinates n can be taken as N(0, 1).
"""

import numpy as np
from scipy.special import ndtr, ndtri


def expected_magnitude(gain, bias) -> np.ndarray:
    """Compute the mean of |γ_i·n + β_i| over n ~ N(0, 1): a folded normal distribution.

    Args:
        gain: LayerNorm's γ, (H,).
        bias: LayerNorm's β, (H,).

    Returns:
        The expected magnitude of every `output` neuron, (H,).
    """
    gain, bias = (np.asarray(a, dtype=np.float64) for a in (gain, bias))
    scale = np.abs(gain)
    ratio = np.divide(bias, scale, out=np.full_like(bias, np.inf), where=scale > 0)
    folded = scale * np.sqrt(2 / np.pi) * np.exp(-(ratio**2) / 2)
    return np.where(scale > 0, folded + bias * (1 - 2 * ndtr(-ratio)), np.abs(bias))


def expected_maximum(gain, bias, words: int) -> np.ndarray:
    """Compute the expected maximum of γ_i·n + β_i over independent n ~ N(0, 1), one per word.

    Blom's approximation of the largest normal order statistic is used. gain and bias are as in
    `expected_magnitude`; words is the number of words. Returns (H,).
    """
    gain, bias = (np.asarray(a, dtype=np.float64) for a in (gain, bias))
    return bias + np.abs(gain) * ndtri((words - 0.375) / (words + 0.25))
