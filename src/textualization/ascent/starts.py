"""Starts x₀ of ascents, drawn by the identity of an objective, not by its place in a batch."""

import numpy as np

from textualization.draws import generator

_DRAW = {
    "normal": lambda generator, size: generator.standard_normal(size),
    # The same variance as the normal distribution.
    "uniform": lambda generator, size: generator.uniform(-np.sqrt(3), np.sqrt(3), size),
}


def draw_starts(seed: int, identities, words: int, kind: str, scale: float) -> np.ndarray:
    """Draw the start x₀ of every objective.

    Args:
        seed: seed of the study.
        identities: a tuple per objective; equal tuples give equal starts.
        words: V, the number of entries of x₀.
        kind: distribution, `normal` or `uniform`, with mean 0.
        scale: its standard deviation.

    Returns:
        (n, V), float64.
    """
    draw = _DRAW[kind]
    return np.stack([scale * draw(generator(seed, *i), words) for i in identities])


def deviation(scale: float | str, embeddings: np.ndarray) -> float:
    """Return the standard deviation of the entries of x₀.

    Args:
        scale: the standard deviation; or `words`, with which x₀E is about as long as a word's embedding.
            It matters where no LayerNorm follows the embeddings: there long inputs drown all else.
        embeddings: E, (V, H).
    """
    if scale != "words":
        return scale
    return float(np.linalg.norm(embeddings, axis=1).mean() / np.linalg.norm(embeddings))


def neighbouring(start: np.ndarray, seed: int, identities) -> np.ndarray:
    """Move every entry of starts by one rounding: to the next number up or down, at random.

    Args:
        start: e₀, (n, H), in the dtype of the ascent.
        seed: seed of the study.
        identities: a tuple per objective; equal tuples move alike.

    Returns:
        (n, H), in the same dtype.
    """
    up = [generator(seed, *name, "twin").random(start.shape[1]) < 0.5 for name in identities]
    towards = np.where(np.stack(up), np.inf, -np.inf).astype(start.dtype)
    return np.nextafter(start, towards)


def optimum_vector(x0, start, embedding, word_embeddings) -> np.ndarray:
    """Compute the vocabulary vector x of an optimum: the one nearest to x₀ with xE = e.

    x = x₀ + E (EᵀE)⁺ (e − e₀). The paper's ascent moves x by E Σ η∇; this is exactly its x.

    Args:
        x0: x₀, (n, V).
        start: e₀ = x₀E, (n, H).
        embedding: e, (n, H).
        word_embeddings: E, (V, H).

    Returns:
        (n, V), float64.
    """
    e = np.asarray(word_embeddings, dtype=np.float64)
    moved = np.asarray(embedding, dtype=np.float64) - np.asarray(start, dtype=np.float64)
    return x0 + (moved @ np.linalg.pinv(e.T @ e, hermitian=True)) @ e.T


def largest_entries(vectors, count: int) -> np.ndarray:
    """Return the indices of each row's largest entries, (n, count), largest first."""
    return np.argsort(-vectors, axis=1, kind="stable")[:, :count]
