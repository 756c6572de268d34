"""How optima lie among the words: nearest words, a target's rank and margin, leading subspaces."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

#: What cosines may be taken of; see `view`.
METRICS = ("cosine", "centred", "without_leading", "without_outliers")


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
    ids, cosines = several_nearest_words(optima, embeddings, candidates, 1, chunk)
    return ids[:, 0], cosines[:, 0]


def several_nearest_words(
    optima, embeddings, candidates, shown: int, chunk: int = 512
) -> tuple[np.ndarray, np.ndarray]:
    """The same, several for each optimum, nearest first: ids and cosines, (n, shown)."""
    ids, words = np.flatnonzero(candidates), unit(embeddings[candidates])
    shown = min(shown, len(ids))
    places = np.empty((len(optima), shown), int)
    cosines = np.empty((len(optima), shown), np.float32)
    for part, cosine in _cosines(optima, words, chunk):
        places[part] = _largest(cosine, shown)
        cosines[part] = np.take_along_axis(cosine, places[part], axis=1)
    return ids[places], cosines


def _cosines(optima, words, chunk: int) -> Iterator[tuple[slice, np.ndarray]]:
    """Which optima, and their cosines to words of length 1, (chunk, words): never held whole."""
    optima = unit(optima)
    for i in range(0, len(optima), chunk):
        part = slice(i, i + chunk)
        yield part, optima[part] @ words.T


def _largest(values: np.ndarray, shown: int) -> np.ndarray:
    """The columns of the largest values of every row, largest first: (n, shown)."""
    if shown == 1:
        return values.argmax(axis=1)[:, None]
    order = np.argpartition(-values, shown - 1, axis=1)[:, :shown]
    inner = np.argsort(-np.take_along_axis(values, order, axis=1), axis=1)
    return np.take_along_axis(order, inner, axis=1)


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
    shown, parts = min(shown, len(ids)), []
    for part, cosine in _cosines(optima, words, chunk):
        rows, at = np.arange(len(cosine)), place[part]
        own = cosine[rows, at]
        order = _largest(cosine, shown)
        cosine[rows, at] = -np.inf
        # A word as close as the target counts as closer, here and below.
        rank = 1 + (cosine >= own[:, None]).sum(axis=1)
        best = cosine.argmax(axis=1)
        other = cosine[rows, best]
        parts.append(
            pd.DataFrame(
                {
                    "nearest_word": np.where(own > other, ids[at], ids[best]),
                    "nearest_cosine": np.maximum(own, other),
                    "target_cosine": own,
                    "target_rank": rank,
                    "margin": own - other,
                    "nearest_words": list(ids[order]),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def outlier_dimensions(embeddings, deviations: float = 3.0) -> np.ndarray:
    """Dimensions in which words are unlike in all others: (H,), bool.

    True where the mean or the standard deviation over words lies more than `deviations` standard
    deviations from that of the average dimension (the criterion of Kovaleva et al. 2021 for LayerNorm).
    """
    words = unit(embeddings)
    facts = np.stack([words.mean(axis=0), words.std(axis=0)])
    centred = facts - facts.mean(axis=1, keepdims=True)
    return (np.abs(centred) > deviations * facts.std(axis=1, keepdims=True)).any(axis=0)


def view(metric: str, embeddings, leading: int):
    """How a metric sees vectors: a function from (n, H) to (n, H'), whose cosines are then taken.

    cosine: as they are, as the paper does. centred: unit vectors less the words' mean. without_leading:
    these without the words' `leading` first principal directions (all-but-the-top, Mu and Viswanath
    2018). without_outliers: without the dimensions of `outlier_dimensions`.
    embeddings: (n, H), of the candidate words. Raises ValueError for another metric.
    """
    if metric == "cosine":
        return unit
    if metric == "without_outliers":
        kept = ~outlier_dimensions(embeddings)
        return lambda vectors: unit(vectors)[:, kept]
    if metric not in METRICS:
        raise ValueError(f"unknown metric {metric!r} (known: {', '.join(METRICS)})")
    # [PAD] may be a row of zeros: it has no direction, here as before.
    words = unit(embeddings)
    words = words[words.any(axis=1)]
    mean, directions = words.mean(axis=0), np.empty((0, words.shape[1]))
    if metric == "without_leading":
        mean, directions = leading_subspace(words, leading)

    def seen(vectors):
        vectors = unit(vectors)
        centred = np.where(vectors.any(axis=1, keepdims=True), vectors - mean, 0)
        return centred - centred @ directions.T @ directions

    return seen


def leading_subspace(embeddings, components: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and leading principal directions of the words' unit vectors: (H,) and (components, H)."""
    words = unit(embeddings)
    mean = words.mean(axis=0)
    _, _, directions = np.linalg.svd(words - mean, full_matrices=False)
    return mean, directions[:components]


def like_words(vectors, embeddings) -> np.ndarray:
    """Standard normal vectors (n, H) given the mean and covariance of the words, (V, H)."""
    words = np.asarray(embeddings, dtype=np.float64)
    return words.mean(axis=0) + vectors @ np.linalg.cholesky(np.cov(words, rowvar=False)).T


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
