"""What LayerNorm alone makes of a neuron: how large coordinates of a normalised state are anyway.

LayerNorm gives every state root mean square 1, whatever it holds. A coordinate of which nothing else is
known is then like N(0, 1): the yardstick beside the ceilings.
"""

import numpy as np
from scipy.special import ndtr, ndtri


def expected_magnitude(gain, bias) -> np.ndarray:
    """Mean |γ_i·n + β_i| of a coordinate n that is like the normalised state's, N(0, 1).

    What a block's `output` neurons show on average if all that is known of a state is that LayerNorm
    gave it mean 0 and root mean square 1. Returns (H,): the mean of a folded normal distribution.
    """
    gain, bias = (np.asarray(a, dtype=np.float64) for a in (gain, bias))
    scale = np.abs(gain)
    ratio = np.divide(bias, scale, out=np.full_like(bias, np.inf), where=scale > 0)
    folded = scale * np.sqrt(2 / np.pi) * np.exp(-(ratio**2) / 2)
    return np.where(scale > 0, folded + bias * (1 - 2 * ndtr(-ratio)), np.abs(bias))


def expected_maximum(gain, bias, words: int) -> np.ndarray:
    """The highest γ_i·n + β_i to be expected of so many independent coordinates n like N(0, 1).

    By Blom's approximation of the largest normal order statistic. Returns (H,).
    """
    gain, bias = (np.asarray(a, dtype=np.float64) for a in (gain, bias))
    return bias + np.abs(gain) * ndtri((words - 0.375) / (words + 0.25))
