"""Estimates with intervals: rates, means, medians, and how far a sample exceeds its null."""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.stats import DegenerateDataWarning, bootstrap, norm, t
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from textualization.starts import generator

_BATCH = 256  # resamples at a time: (_BATCH, values) weights are held at once


def rate(successes: np.ndarray, confidence: float) -> tuple[float, float, float]:
    """Share of successes with its Wilson interval; NaNs if there are none to count.

    successes: one entry per trial, between 0 and 1 where a trial is itself a mean (of restarts).
    """
    n, k = len(successes), float(np.sum(successes))
    if n == 0:
        return np.nan, np.nan, np.nan
    low, high = proportion_confint(k, n, alpha=1 - confidence, method="wilson")
    return k / n, float(low), float(high)


def _weighted_mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    total = weights.sum(axis=-1)
    return np.where(total > 0, weights @ values / np.maximum(total, 1), np.nan)


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    until = np.cumsum(weights, axis=-1)
    total = until[..., -1:]
    # Of 2m values the median lies between those of ranks m − 1 and m, of 2m + 1 it is that of m.
    middle = [values[np.argmax(until > rank, axis=-1)] for rank in ((total - 1) // 2, total // 2)]
    return np.where(total[..., 0] > 0, (middle[0] + middle[1]) / 2, np.nan)


# Of ascending values (N,), each as often as whole-numbered weights (..., N) say; NaN for no value.
_WEIGHTED = {np.mean: _weighted_mean, np.median: _weighted_median}


def tail(clusters: int, confidence: float) -> float:
    """Level of a bootstrap distribution's lower quantile, to cover as often as asked.

    Hesterberg's expanded percentiles (2015, The American Statistician 69, 371–386): of the mean of
    few normal values, the percentile interval becomes Student's.
    """
    student = t.ppf((1 - confidence) / 2, clusters - 1)
    return float(norm.cdf(np.sqrt(clusters / (clusters - 1)) * student))


def _counts(drawn: np.ndarray) -> np.ndarray:
    """How often each of n is among a row's n draws. drawn: (rows, n), whole numbers below n."""
    rows, n = drawn.shape
    places = drawn + n * np.arange(rows)[:, None]
    return np.bincount(places.ravel(), minlength=drawn.size).reshape(rows, n)


def _bounds(
    statistic: Callable, sizes, confidence: float, resamples: int, seed: int
) -> tuple[float, float]:
    """Percentile interval, from redrawing clusters (and whatever else is drawn), each by itself.

    statistic: from how often each was drawn, a (resamples, size) per entry of `sizes`, whose first
    is the number of clusters. NaNs among its values are left out.
    """
    if sizes[0] == 1:
        return np.nan, np.nan
    with warnings.catch_warnings():
        # Of NaNs: SciPy's own interval, which is not used, would be of all resamples.
        warnings.simplefilter("ignore", DegenerateDataWarning)
        redrawn = bootstrap(
            [np.arange(size) for size in sizes],
            lambda *drawn, axis: statistic(*map(_counts, drawn)),
            n_resamples=resamples,
            method="percentile",
            rng=generator(seed, "bootstrap"),
            vectorized=True,
            batch=_BATCH,
        ).bootstrap_distribution
    lower = tail(sizes[0], confidence)
    low, high = np.nanquantile(redrawn, [lower, 1 - lower])
    return float(low), float(high)


def clustered(
    values: np.ndarray,
    clusters: np.ndarray,
    statistic: Callable,
    confidence: float,
    resamples: int,
    seed: int,
) -> tuple[float, float, float]:
    """A mean or median of all values, with an interval that redraws whole clusters of them.

    clusters: a label per value. Bootstrap with expanded percentiles (`tail`). NaNs are left out; a
    single cluster gives no interval.
    """
    values = np.asarray(values, dtype=np.float64)
    kept = np.isfinite(values)
    if not kept.any():
        return np.nan, np.nan, np.nan
    values = values[kept]
    names, cluster = np.unique(np.asarray(clusters)[kept], return_inverse=True)
    value = float(statistic(values))
    if len(names) > 1 and np.ptp(values) == 0:
        return value, value, value
    ascending = np.argsort(values, kind="stable")
    values, cluster = values[ascending], cluster[ascending]
    weighted = _WEIGHTED[statistic]

    def redrawn(times: np.ndarray) -> np.ndarray:
        return weighted(values, times[:, cluster])

    return value, *_bounds(redrawn, [len(names)], confidence, resamples, seed)


def centre(
    values: np.ndarray, statistic: Callable, confidence: float, resamples: int, seed: int
) -> tuple[float, float, float]:
    """A mean or median of `values` with its bootstrap interval; NaNs are left out."""
    clusters = np.arange(len(values))
    return clustered(values, clusters, statistic, confidence, resamples, seed)


class Excess(NamedTuple):
    """How far a model's values exceed those of its null."""

    value: float  # the difference of their means or medians, with its interval
    low: float
    high: float
    p: float  # two-sided, of the permutation test
    dominance: float  # Cliff's delta: −1 (all values below the null's) to 1 (all above)


def excess(
    model: np.ndarray,
    model_clusters: np.ndarray,
    null: np.ndarray,
    null_clusters: np.ndarray,
    null_draws: np.ndarray | None,
    statistic: Callable,
    confidence: float,
    resamples: int,
    seed: int,
    permutations: int | None = None,
) -> Excess:
    """How far the mean or median of a model's values exceeds that of a null's, over shared clusters.

    model_clusters, null_clusters: a label per value (its word, its layer); values of clusters that
    the other sample lacks, and NaNs, are left out. null_draws: a label per null value, of the draw
    of the null that it belongs to; None if the null is not random.

    The interval redraws clusters, of both samples together, and draws (the pigeonhole bootstrap:
    Owen 2007, Annals of Applied Statistics 1, 386–411), with expanded percentiles by the number of
    clusters. The test exchanges model and null values within clusters, `permutations` (or else
    `resamples`) times; with one of each per cluster it flips signs of differences. Unlike the
    interval it knows of no draws: what all values of a draw share makes it reject too often.
    Cliff's delta is taken within clusters and averaged.
    """
    values = np.concatenate([model, null]).astype(np.float64)
    is_model = np.arange(len(values)) < len(model)
    labels = np.concatenate([model_clusters, null_clusters])
    draws = np.zeros(len(null)) if null_draws is None else np.asarray(null_draws)
    finite = np.isfinite(values)
    shared = np.intersect1d(labels[finite & is_model], labels[finite & ~is_model])
    kept = finite & np.isin(labels, shared)
    if not kept.any():
        return Excess(*[np.nan] * 5)
    draw_names, null_draw = np.unique(draws[kept[~is_model]], return_inverse=True)
    draw = np.zeros(len(values), dtype=int)
    draw[kept & ~is_model] = null_draw
    ascending = np.flatnonzero(kept)[np.argsort(values[kept], kind="stable")]
    values, is_model, draw = values[ascending], is_model[ascending], draw[ascending]
    cluster = np.unique(labels[ascending], return_inverse=True)[1]
    weighted = _WEIGHTED[statistic]

    def difference(model_weights: np.ndarray, null_weights: np.ndarray) -> np.ndarray:
        return weighted(values, model_weights) - weighted(values, null_weights)

    def redrawn(cluster_times: np.ndarray, draw_times: np.ndarray | None = None) -> np.ndarray:
        times = cluster_times[:, cluster]
        null_times = times if draw_times is None else times * draw_times[:, draw]
        return difference(times * is_model, null_times * ~is_model)

    sizes = [len(shared), len(draw_names)] if len(draw_names) > 1 else [len(shared)]
    low, high = _bounds(redrawn, sizes, confidence, resamples, seed)
    value = difference(1 * is_model, 1 * ~is_model)
    # Sums that differ only by rounding are equally extreme.
    extreme = np.abs(value) - 1e-9 * np.abs(values).max()
    permuted = generator(seed, "permutations")
    members = [np.flatnonzero(cluster == name) for name in range(len(shared))]
    beyond = 0
    permutations = permutations or resamples
    for first in range(0, permutations, _BATCH):
        # Numbers, not truths: those are multiplied slowly.
        as_model = np.empty((min(_BATCH, permutations - first), len(values)))
        for places in members:
            own = np.broadcast_to(is_model[places], (len(as_model), len(places)))
            as_model[:, places] = permuted.permuted(own, axis=1)
        beyond += int(np.sum(np.abs(difference(as_model, 1 - as_model)) >= extreme))
    return Excess(
        float(value),
        low,
        high,
        (1 + beyond) / (1 + permutations),
        _dominance(values, is_model, cluster),
    )


def _dominance(values: np.ndarray, is_model: np.ndarray, cluster: np.ndarray) -> float:
    """Cliff's delta of model against null values within clusters, averaged over clusters."""
    deltas = []
    for name in range(cluster.max() + 1):
        model, null = (values[(cluster == name) & which] for which in (is_model, ~is_model))
        deltas.append(np.sign(model[:, None] - null).mean())
    return float(np.mean(deltas))


def rate_difference(
    first: float, second: float, trials: int, confidence: float
) -> tuple[float, float]:
    """Interval of the difference of two rates, each of so many trials: Newcombe (1998), method 10.

    Made of two Wilson intervals, it has a width even where all trials of both end alike, which no
    bootstrap knows. NaNs without a trial.
    """
    if trials == 0:
        return np.nan, np.nan
    low, high = confint_proportions_2indep(
        first * trials, trials, second * trials, trials, method="newcomb", alpha=1 - confidence
    )
    return float(low), float(high)


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's correction of p-values for their number; NaNs stay and do not count."""
    corrected = np.array(p, dtype=np.float64)
    known = np.isfinite(corrected)
    if known.any():
        corrected[known] = multipletests(corrected[known], method="holm")[1]
    return corrected


def paired_difference(
    first: np.ndarray, second: np.ndarray, confidence: float, resamples: int, seed: int
) -> tuple[float, float, float]:
    """Mean of first − second over pairs (words), with its bootstrap interval."""
    return centre(np.asarray(first) - np.asarray(second), np.mean, confidence, resamples, seed)
