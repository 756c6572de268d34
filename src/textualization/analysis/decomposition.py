"""Sparse non-negative decomposition of vectors into words, and layer-wise comparison of inputs."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

_BATCH = 256  # vectors whose inner products with all words are in memory at once
_LEAST = 1e-12  # a word with a smaller inner product would only add rounding errors


@dataclass(frozen=True)
class Decomposition:
    """Mixtures of words, in the order in which the words were added.

    words: (n, count), ids; -1 where no further word improves the mixture.
    weights: (n, count), of the unit-length words in the full mixture.
    cosine: (n, count), between each vector and its best mixture of the first k words.
    """

    words: np.ndarray
    weights: np.ndarray
    cosine: np.ndarray


def decompose(vectors, embeddings, candidates, count: int) -> Decomposition:
    """Decompose vectors into mixtures of at most `count` words with non-negative weights.

    Orthogonal matching pursuit (Pati, Rezaiifar and Krishnaprasad 1993) with non-negative weights: in
    each step the candidate closest to the residual joins the mixture, and all weights are refitted.
    Vectors and embeddings are scaled to length 1.

    Args:
        vectors: (n, H). A vector of zeros gives NaN cosines and no words.
        embeddings: E, (V, H).
        candidates: (V,), bool.
        count: maximum number of words per mixture, at least 1.

    Raises:
        ValueError: `count` is below 1, shapes do not match, a vector is not finite, or there is no
            candidate.
    """
    if count < 1:
        raise ValueError(f"count: {count} is not valid (allowed: 1 or more)")
    vectors, embeddings, candidates = (np.asarray(a) for a in (vectors, embeddings, candidates))
    if vectors.ndim != 2 or embeddings.ndim != 2 or vectors.shape[1] != embeddings.shape[1]:
        raise ValueError(f"vectors of shape {vectors.shape} and embeddings of {embeddings.shape}")
    # Ids instead of a mask would cause no error below.
    if candidates.dtype != bool or candidates.shape != embeddings.shape[:1]:
        raise ValueError(f"candidates: not a mask (allowed: {len(embeddings)} booleans)")
    # Comparisons with NaN are false, so a NaN vector would look like one that no word explains.
    if not np.isfinite(vectors).all():
        raise ValueError("vectors: not all values are finite")
    ids = np.flatnonzero(candidates)
    if not len(ids):
        raise ValueError("candidates: none is True")
    words = _unit(embeddings[ids])
    parts = [
        _decomposed(_unit(vectors[i : i + _BATCH]), words, count)
        for i in range(0, max(len(vectors), 1), _BATCH)
    ]
    places, weights, cosine = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Decomposition(np.where(places >= 0, ids[places], -1), weights, cosine)


def _decomposed(vectors, words, count):
    n = len(vectors)
    places, weights = np.full((n, count), -1), np.zeros((n, count))
    cosine = np.full((n, count), np.nan)
    residual, growing = vectors.copy(), vectors.any(axis=1)
    free = np.ones((n, len(words)), dtype=bool)
    for k in range(count):
        product = np.where(free, residual @ words.T, -np.inf)
        best = product.argmax(axis=1)
        growing &= product[np.arange(n), best] > _LEAST
        cosine[:, k] = cosine[:, k - 1] if k else np.where(vectors.any(axis=1), 0.0, np.nan)
        for row in np.flatnonzero(growing):
            places[row, k] = best[row]
            free[row, best[row]] = False
            mixed = words[places[row, : k + 1]].T
            weights[row, : k + 1], off = nnls(mixed, vectors[row])
            residual[row] = vectors[row] - mixed @ weights[row, : k + 1]
            # The fit is a projection of a unit vector, so the residual's length is the sine.
            cosine[row, k] = np.sqrt(max(0.0, 1 - off**2))
    return places, weights, cosine


def share_explained(cosine: np.ndarray) -> np.ndarray:
    """Return the share of a direction's squared length that its mixture explains."""
    return np.asarray(cosine) ** 2


def layerwise_cosine(states, others, mean=None) -> np.ndarray:
    """Compute the cosine between the hidden states of two inputs, layer by layer.

    Args:
        states, others: hidden states of n inputs each, (layers, n, H).
        mean: (layers, H), subtracted from both; without it, what all inputs share makes every
            cosine high.

    Returns:
        (layers, n).

    Raises:
        ValueError: shapes differ.
    """
    states, others = (np.asarray(a, dtype=np.float64) for a in (states, others))
    if states.shape != others.shape:
        raise ValueError(f"states of shape {states.shape}, others of shape {others.shape}")
    if mean is not None:
        mean = np.asarray(mean, dtype=np.float64)
        if mean.shape != states.shape[::2]:
            raise ValueError(f"mean of shape {mean.shape} for states of shape {states.shape}")
        states, others = (a - mean[:, None] for a in (states, others))
    lengths = np.linalg.norm(states, axis=2) * np.linalg.norm(others, axis=2)
    return (states * others).sum(axis=2) / np.where(lengths > 0, lengths, np.nan)


def _unit(vectors) -> np.ndarray:
    """Scale rows to length 1 in float64; rows of zeros stay."""
    vectors = np.asarray(vectors, dtype=np.float64)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0, length, 1.0)
