"""Of which words an optimum is made: sparse non-negative mixtures; and how inputs run through layers."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

_BATCH = 256  # vectors whose inner products with all words are held at once
_LEAST = 1e-12  # an inner product below which a word adds nothing but rounding


@dataclass(frozen=True)
class Decomposition:
    """Mixtures of words, in the order in which words were added.

    words: (n, count), ids; -1 where no word was left that adds anything. weights: (n, count), on words
    of unit length, of the whole mixture. cosine: (n, count), of a vector to its best mixture of the
    first k words.
    """

    words: np.ndarray
    weights: np.ndarray
    cosine: np.ndarray


def decompose(vectors, embeddings, candidates, count: int) -> Decomposition:
    """Each vector as a mixture of at most `count` words with weights of at least 0.

    Orthogonal matching pursuit (Pati, Rezaiifar and Krishnaprasad 1993) with non-negative weights: the
    candidate closest to what is still unexplained joins the mixture, and all weights are fitted anew.
    All vectors are taken at length 1. vectors: (n, H). embeddings: (V, H). candidates: (V,), bool.
    A vector of zeros gives NaN cosines and no words. Raises ValueError if count is below 1, shapes do
    not match, a vector is not finite, or there is no candidate.
    """
    if count < 1:
        raise ValueError(f"count: {count} words make no mixture")
    vectors, embeddings, candidates = (np.asarray(a) for a in (vectors, embeddings, candidates))
    if vectors.ndim != 2 or embeddings.ndim != 2 or vectors.shape[1] != embeddings.shape[1]:
        raise ValueError(f"vectors of shape {vectors.shape}, embeddings of {embeddings.shape}")
    # Ids in place of a mask would pass for one.
    if candidates.dtype != bool or candidates.shape != embeddings.shape[:1]:
        raise ValueError(f"candidates: not {len(embeddings)} truth values")
    # NaN exceeds nothing: it would pass for a direction that no word explains.
    if not np.isfinite(vectors).all():
        raise ValueError("vectors: not all are finite")
    ids = np.flatnonzero(candidates)
    if not len(ids):
        raise ValueError("candidates: there is none")
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
    residual, climbing = vectors.copy(), vectors.any(axis=1)
    free = np.ones((n, len(words)), dtype=bool)
    for k in range(count):
        product = np.where(free, residual @ words.T, -np.inf)
        best = product.argmax(axis=1)
        climbing &= product[np.arange(n), best] > _LEAST
        cosine[:, k] = cosine[:, k - 1] if k else np.where(vectors.any(axis=1), 0.0, np.nan)
        for row in np.flatnonzero(climbing):
            places[row, k] = best[row]
            free[row, best[row]] = False
            mixed = words[places[row, : k + 1]].T
            weights[row, : k + 1], off = nnls(mixed, vectors[row])
            residual[row] = vectors[row] - mixed @ weights[row, : k + 1]
            # The fit is a projection: of a vector of length 1, the rest is the sine.
            cosine[row, k] = np.sqrt(max(0.0, 1 - off**2))
    return places, weights, cosine


def share_explained(cosine: np.ndarray) -> np.ndarray:
    """The share of a direction's squared length that lies along its mixture."""
    return np.asarray(cosine) ** 2


def words_needed(cosine: np.ndarray, share: float) -> np.ndarray:
    """How many words explain at least `share` of each direction, (n,); NaN where none do.

    cosine: (n, count), as in `Decomposition`.
    """
    enough = share_explained(cosine) >= share
    return np.where(enough.any(axis=1), enough.argmax(axis=1) + 1.0, np.nan)


def layerwise_cosine(states, others, mean=None) -> np.ndarray:
    """Cosine of two inputs' hidden states, layer by layer. states, others: (layers, n, H).

    mean: (layers, H), taken off both: what all inputs share makes every cosine high.
    Returns (layers, n). Raises ValueError if shapes differ.
    """
    states, others = (np.asarray(a, dtype=np.float64) for a in (states, others))
    if states.shape != others.shape:
        raise ValueError(f"states of shape {states.shape} beside {others.shape}")
    if mean is not None:
        mean = np.asarray(mean, dtype=np.float64)
        if mean.shape != states.shape[::2]:
            raise ValueError(f"mean of shape {mean.shape} beside states of {states.shape}")
        states, others = (a - mean[:, None] for a in (states, others))
    lengths = np.linalg.norm(states, axis=2) * np.linalg.norm(others, axis=2)
    return (states * others).sum(axis=2) / np.where(lengths > 0, lengths, np.nan)


def _unit(vectors) -> np.ndarray:
    """Rows at length 1 in float64; rows of zeros stay."""
    vectors = np.asarray(vectors, dtype=np.float64)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0, length, 1.0)
