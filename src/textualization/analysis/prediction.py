"""Recovery predicted before any ascent: an optimum as a known direction, blurred.

If neurons were linear read-outs of the input, a group's optimum would be its read-out direction, and
recovery would follow from how near words lie to it. Where neurons are not linear, the optimum keeps
a share of that direction; the rest of it is taken to be random.
"""

import numpy as np
from scipy.stats import norm

from textualization.analysis.similarity import unit

#: Words whose cosines to all directions and noise are in memory at once.
_AT_ONCE = 4096


def top_mean(size: int, neurons: int) -> float:
    """Compute the expected mean of the largest `size` of `neurons` standard normal values.

    The quantile above which the share `size / neurons` lies stands for the smallest of them, which is
    exact for many neurons.
    """
    share = size / neurons
    return float(norm.pdf(norm.isf(share)) / share) if share < 1 else 0.0


def linear_cosine(size: int, neurons: int, hidden: int) -> float:
    """Compute the cosine of a word to the optimum of its neurons, if these are random and linear.

    A neuron is then a normal random vector of H entries, its activation the product with the input.
    The `size` neurons that a word activates most carry m along the word, the mean of the largest of
    that many normal values, and noise of √((H − 1)/size) across it: m/√(m² + (H − 1)/size).

    Args:
        size: number of neurons in the group.
        neurons: number of neurons that the group is chosen from.
        hidden: H, the length of an input.
    """
    m = top_mean(size, neurons)
    return m / np.sqrt(m**2 + (hidden - 1) / size)


def agreement(direction: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Compute how far gradients at several inputs go along a direction, (n,).

    1: the gradient is the same everywhere, as a linear function's. For a random function of first and
    second degree on a sphere of many dimensions, this is also the cosine of its maximum to its linear
    part; of higher degrees, if the linear part is strong (a spherical spin glass in a field).

    Args:
        direction: of every objective, (n, H).
        gradients: of every objective at p inputs, (p, n, H).

    Returns:
        The mean component along the direction, divided by the gradients' root mean square length.
    """
    length = np.sqrt((gradients**2).sum(axis=2).mean(axis=0))
    along = (gradients * unit(direction)).sum(axis=2).mean(axis=0)
    return np.divide(along, length, out=np.zeros_like(along), where=length > 0)


def chances(
    directions: np.ndarray,
    shares: np.ndarray,
    targets: np.ndarray,
    words: np.ndarray,
    draws: int,
    generator: np.random.Generator,
) -> np.ndarray:
    """Estimate the chance that the target is the word nearest to a blurred direction.

    The optimum is taken to be s·d + √(1 − s²)·u: d is the direction and s its share, u a random
    direction. The same `draws` random directions serve all objectives.

    Args:
        directions: (n, H).
        shares: s, between 0 and 1, in k variants, (k, n).
        targets: rows of `words`, (n,).
        words: embeddings of the candidate words, (C, H).
        draws: number of random directions.
        generator: draws them.

    Returns:
        (k, n).
    """
    directions, words = unit(directions), unit(words)
    noise = unit(generator.standard_normal((draws, words.shape[1])))
    shares = np.asarray(shares, dtype=np.float32)[:, None]
    rest = np.sqrt(np.clip(1 - shares**2, 0, 1))

    known = np.einsum("nh,nh->n", directions, words[targets])
    own = shares * known + rest * (noise @ words[targets].T)[None]
    highest = np.full(own.shape, -np.inf, dtype=np.float32)
    for first in range(0, len(words), _AT_ONCE):
        here = words[first : first + _AT_ONCE]
        known, random = directions @ here.T, noise @ here.T
        inside = (targets >= first) & (targets < first + len(here))
        for row in range(len(directions)):
            # (k, draws, words): all variants and draws of one objective.
            of_row = (slice(None), 0, row, None, None)
            found = shares[of_row] * known[row] + rest[of_row] * random
            if inside[row]:
                found[..., targets[row] - first] = -np.inf
            highest[:, :, row] = np.maximum(highest[:, :, row], found.max(axis=2))
    return (own > highest).mean(axis=1)
