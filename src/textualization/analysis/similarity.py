"""Similarity of optima and words: nearest words, rank and margin of a target, leading subspaces."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

#: Variants of the cosine; see `view`.
METRICS = ("cosine", "centred", "without_leading", "without_outliers")


def unit(vectors: np.ndarray) -> np.ndarray:
    """Scale rows to length 1, float32; rows of zeros (as [PAD] may have) stay, at cosine 0 to all."""
    vectors = np.asarray(vectors, dtype=np.float64)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(length > 0, length, 1.0)).astype(np.float32)


def cosine_to_others(inputs: np.ndarray) -> np.ndarray:
    """Compute each input's mean cosine to the others, (n,), of inputs (n, H); n is at least 2."""
    directions = unit(inputs)
    cosines = directions @ directions.T
    return (cosines.sum(axis=1) - np.diag(cosines)) / (len(inputs) - 1)


def nearest_words(
    optima, embeddings, candidates, chunk: int = 256
) -> tuple[np.ndarray, np.ndarray]:
    """Find the candidate word closest to each optimum by cosine.

    Args:
        optima, embeddings, candidates: (n, H); E, (V, H); (V,), bool.
        chunk: number of optima whose cosines to all words are in memory at once.

    Returns:
        Vocabulary ids (n,) and cosines (n,).
    """
    ids, cosines = several_nearest_words(optima, embeddings, candidates, 1, chunk)
    return ids[:, 0], cosines[:, 0]


def several_nearest_words(
    optima, embeddings, candidates, shown: int, chunk: int = 256
) -> tuple[np.ndarray, np.ndarray]:
    """Find the `shown` closest candidate words as `nearest_words` does: ids and cosines, (n, shown)."""
    ids, words = np.flatnonzero(candidates), unit(embeddings[candidates])
    shown = min(shown, len(ids))
    places = np.empty((len(optima), shown), int)
    cosines = np.empty((len(optima), shown), np.float32)
    for part, cosine in _cosines(optima, words, chunk):
        places[part] = _largest(cosine, shown)
        cosines[part] = np.take_along_axis(cosine, places[part], axis=1)
    return ids[places], cosines


def _cosines(optima, words, chunk: int) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield chunks of optima, and their cosines to words of length 1, (chunk, words), float32.

    They are summed in float64: in float32, words at nearly the same cosine, and so ranks, would depend
    on the machine.
    """
    optima, words = unit(optima).astype(np.float64), words.astype(np.float64)
    for i in range(0, len(optima), chunk):
        part = slice(i, i + chunk)
        yield part, (optima[part] @ words.T).astype(np.float32)


def _largest(values: np.ndarray, shown: int) -> np.ndarray:
    """Return the columns of the largest values of every row, largest first: (n, shown)."""
    if shown == 1:
        return values.argmax(axis=1)[:, None]
    order = np.argpartition(-values, shown - 1, axis=1)[:, :shown]
    inner = np.argsort(-np.take_along_axis(values, order, axis=1), axis=1)
    return np.take_along_axis(order, inner, axis=1)


def target_similarity(
    optima, targets, embeddings, candidates, shown: int = 1, chunk: int = 256
) -> pd.DataFrame:
    """Rank each optimum's target among the candidate words by cosine.

    Args:
        optima, embeddings, candidates, chunk: see `nearest_words`.
        targets: (n,), ids of candidates.
        shown: number of nearest words to list.

    Returns:
        `nearest_word` (id), `nearest_cosine`, `target_cosine`, `target_rank` (1 = nearest), `margin`
        (the target's cosine minus the closest other word's), `nearest_words` (ids, nearest first).
    """
    ids, words = np.flatnonzero(candidates), unit(embeddings[candidates])
    place = np.searchsorted(ids, targets)
    shown, parts = min(shown, len(ids)), []
    for part, cosine in _cosines(optima, words, chunk):
        rows, at = np.arange(len(cosine)), place[part]
        own = cosine[rows, at]
        order = _largest(cosine, shown)
        cosine[rows, at] = -np.inf
        # A word at the same cosine counts as closer than the target, here and below.
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
    """Find outlier dimensions of word embeddings: (H,), bool.

    True where the mean or the standard deviation over words differs from its average over dimensions by
    more than `deviations` standard deviations (Kovaleva et al. 2021 use this criterion for LayerNorm).
    """
    words = unit(embeddings)
    facts = np.stack([words.mean(axis=0), words.std(axis=0)])
    centred = facts - facts.mean(axis=1, keepdims=True)
    return (np.abs(centred) > deviations * facts.std(axis=1, keepdims=True)).any(axis=0)


def view(metric: str, embeddings, leading: int):
    """Return the transformation of a metric, from (n, H) to (n, H'), after which cosines are computed.

    Args:
        metric: `cosine`, unit vectors as in the paper; `centred`, unit vectors minus the words' mean;
            `without_leading`, centred and without the first principal directions of the words
            (all-but-the-top, Mu and Viswanath 2018); `without_outliers`, without the dimensions of
            `outlier_dimensions`.
        embeddings: embeddings of the candidate words, (n, H).
        leading: number of principal directions that `without_leading` removes.

    Raises:
        ValueError: the metric is unknown.
    """
    if metric == "cosine":
        return unit
    if metric == "without_outliers":
        kept = ~outlier_dimensions(embeddings)
        return lambda vectors: unit(vectors)[:, kept]
    if metric not in METRICS:
        raise ValueError(f"unknown metric {metric!r} (allowed: {', '.join(METRICS)})")
    # [PAD] may be a row of zeros, which has no direction.
    words = unit(embeddings)
    words = words[words.any(axis=1)]
    mean, directions = words.mean(axis=0), np.empty((0, words.shape[1]))
    if metric == "without_leading":
        mean, directions = leading_subspace(words, leading)

    def transformed(vectors):
        vectors = unit(vectors)
        centred = np.where(vectors.any(axis=1, keepdims=True), vectors - mean, 0)
        return centred - centred @ directions.T @ directions

    return transformed


def leading_subspace(embeddings, components: int) -> tuple[np.ndarray, np.ndarray]:
    """Compute mean (H,) and leading principal directions (components, H) of the words' unit vectors."""
    words = unit(embeddings)
    mean = words.mean(axis=0)
    _, _, directions = np.linalg.svd(words - mean, full_matrices=False)
    return mean, directions[:components]


def like_words(vectors, embeddings) -> np.ndarray:
    """Transform standard normal vectors (n, H) to the mean and covariance of the words (V, H)."""
    words = np.asarray(embeddings, dtype=np.float64)
    return words.mean(axis=0) + vectors @ np.linalg.cholesky(np.cov(words, rowvar=False)).T


def share_in_subspace(vectors, mean, directions) -> np.ndarray:
    """Compute the share of each unit vector's squared distance to `mean` along `directions`, (n,)."""
    centred = unit(vectors) - mean
    return ((centred @ directions.T) ** 2).sum(axis=1) / (centred**2).sum(axis=1)


def late_change(steps, curve, last: float) -> np.ndarray:
    """Compute the change of activations over the last steps, (n,).

    Args:
        steps: the recorded steps, (r,), ascending from 0.
        curve: activations at these steps, (r, n).
        last: the share of the steps that counts, between 0 and 1.
    """
    earlier = np.searchsorted(steps, (1 - last) * steps[-1], side="right") - 1
    return curve[-1] - curve[earlier]


def converged(steps, curve, last: float, tolerance: float) -> np.ndarray:
    """Tell whether each ascent has converged, (n,).

    Args:
        steps, curve, last: see `late_change`.
        tolerance: maximum change over the last steps, as a share of the final magnitude (exclusive).
    """
    return np.abs(late_change(steps, curve, last)) < tolerance * np.abs(curve[-1])


def collapsed(curve, tolerance: float) -> np.ndarray:
    """Tell whether each ascent ended below its highest activation, (n,): a step can overshoot.

    Args:
        curve: activations at the recorded steps, (r, n).
        tolerance: maximum allowed drop, as a share of the highest activation.
    """
    highest = curve.max(axis=0)
    return highest - curve[-1] > tolerance * np.abs(highest)


def utilisation(word_activation, optimum_activation) -> np.ndarray:
    """Divide activations by words by the optima's; NaN where an optimum's is not positive."""
    word, best = (np.asarray(a, dtype=np.float64) for a in (word_activation, optimum_activation))
    return np.divide(word, best, out=np.full_like(best, np.nan), where=best > 0)
