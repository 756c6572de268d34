"""How optima lie among the words: nearest words, a target's rank and margin, leading subspaces."""

import numpy as np
import pandas as pd


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1, float32; a row of zeros ([PAD] has one) stays, at cosine 0 to all."""
    vectors = np.asarray(vectors, dtype=np.float64)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(length > 0, length, 1.0)).astype(np.float32)


def nearest_words(
    optima, embeddings, candidates, chunk: int = 512
) -> tuple[np.ndarray, np.ndarray]:
    """The candidate word closest to each optimum by cosine.

    optima: (n, H). embeddings: (V, H). candidates: (V,), bool.
    Returns vocabulary ids (n,) and cosines (n,).
    """
    ids, words = np.flatnonzero(candidates), unit(embeddings[candidates])
    optima = unit(optima)
    best = [(optima[i : i + chunk] @ words.T) for i in range(0, len(optima), chunk)]
    place = np.concatenate([cosine.argmax(axis=1) for cosine in best])
    cosine = np.concatenate([cosine.max(axis=1) for cosine in best])
    return ids[place], cosine


def target_similarity(
    optima, targets, embeddings, candidates, shown: int = 1, chunk: int = 512
) -> pd.DataFrame:
    """Where each optimum's target word stands among the candidate words.

    optima: (n, H). targets: (n,), vocabulary ids, each a candidate. shown: how many nearest words to
    list. Returns `nearest_word` (id), `nearest_cosine`, `target_cosine`, `target_rank` (1 = nearest),
    `margin` (the target's cosine less the best other word's) and `nearest_words` (ids, nearest first).
    """
    ids, words = np.flatnonzero(candidates), unit(embeddings[candidates])
    place = np.searchsorted(ids, targets)
    shown = min(shown, len(ids))
    optima, parts = unit(optima), []
    for i in range(0, len(optima), chunk):
        cosine = optima[i : i + chunk] @ words.T
        rows, at = np.arange(len(cosine)), place[i : i + chunk]
        own = cosine[rows, at]
        order = np.argpartition(-cosine, shown - 1, axis=1)[:, :shown]
        order = np.take_along_axis(
            order, np.argsort(-np.take_along_axis(cosine, order, axis=1), axis=1), axis=1
        )
        cosine[rows, at] = -np.inf
        # A word as close as the target counts as closer, here and below.
        rank = 1 + (cosine >= own[:, None]).sum(axis=1)
        other = cosine.max(axis=1)
        parts.append(
            pd.DataFrame(
                {
                    "nearest_word": np.where(own > other, ids[at], ids[cosine.argmax(axis=1)]),
                    "nearest_cosine": np.maximum(own, other),
                    "target_cosine": own,
                    "target_rank": rank,
                    "margin": own - other,
                    "nearest_words": list(ids[order]),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def leading_subspace(embeddings, components: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and leading principal directions of the words' unit vectors: (H,) and (components, H)."""
    words = unit(embeddings)
    mean = words.mean(axis=0)
    _, _, directions = np.linalg.svd(words - mean, full_matrices=False)
    return mean, directions[:components]


def share_in_subspace(vectors, mean, directions) -> np.ndarray:
    """Share of each unit vector's squared distance from `mean` that lies along `directions`. (n,)"""
    centred = unit(vectors) - mean
    return ((centred @ directions.T) ** 2).sum(axis=1) / (centred**2).sum(axis=1)


def converged(steps, curve, last: float, tolerance: float) -> np.ndarray:
    """Whether an ascent had come to rest.

    steps: (r,) and curve: (r, n), activations at the recorded steps. True where the activation
    changed, over the last share `last` of the steps, by less than `tolerance` of its final
    magnitude. (n,)
    """
    earlier = np.searchsorted(steps, (1 - last) * steps[-1], side="right") - 1
    return np.abs(curve[-1] - curve[earlier]) < tolerance * np.abs(curve[-1])


def collapsed(curve, tolerance: float) -> np.ndarray:
    """Whether an ascent ended well below where it had been: at a fixed rate a step can overshoot.

    curve: (r, n), activations at the recorded steps. True where the last one is below the highest
    by more than `tolerance` of it. (n,)
    """
    highest = curve.max(axis=0)
    return highest - curve[-1] > tolerance * np.abs(highest)


def utilisation(word_activation, optimum_activation) -> np.ndarray:
    """Share of an optimum's activation that words reach; NaN (flagged) where it is not positive."""
    word, best = (np.asarray(a, dtype=np.float64) for a in (word_activation, optimum_activation))
    return np.divide(word, best, out=np.full_like(best, np.nan), where=best > 0)
