"""Estimates with confidence intervals: rates, means, medians, and the excess over a null."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import DegenerateDataWarning, bootstrap, norm, t
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from textualization.draws import generator

_BATCH = 256  # resamples at a time: their weights, (_BATCH, values), are in memory at once


@dataclass(frozen=True)
class Intervals:
    """Settings of intervals: confidence level, number of bootstrap resamples, seed."""

    confidence: float = 0.95
    resamples: int = 2000
    seed: int = 0


def rate(successes: np.ndarray, confidence: float) -> tuple[float, float, float]:
    """Compute the share of successes with its Wilson interval; NaNs without a trial.

    Args:
        successes: one value from 0 to 1 per trial; fractions are means over restarts.
        confidence: confidence level.
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
    # Of 2m values, the median is the mean of those of rank m − 1 and m; of 2m + 1, the one of rank m.
    middle = [values[np.argmax(until > rank, axis=-1)] for rank in ((total - 1) // 2, total // 2)]
    return np.where(total[..., 0] > 0, (middle[0] + middle[1]) / 2, np.nan)


# Statistics of ascending values (N,) repeated by integer weights (..., N); NaN if all weights are 0.
_WEIGHTED = {np.mean: _weighted_mean, np.median: _weighted_median}


def tail(clusters: int, confidence: float) -> float:
    """Compute the level of the lower quantile of a bootstrap distribution.

    Expanded percentiles (Hesterberg 2015, The American Statistician 69, 371–386): for the mean of few
    normal values, the percentile interval equals Student's.

    Args:
        clusters: number of clusters that are resampled, at least 2.
        confidence: confidence level of the interval.
    """
    student = t.ppf((1 - confidence) / 2, clusters - 1)
    return float(norm.cdf(np.sqrt(clusters / (clusters - 1)) * student))


def _counts(drawn: np.ndarray) -> np.ndarray:
    """Count each of the numbers below n in every row of `drawn`, (rows, n)."""
    rows, n = drawn.shape
    places = drawn + n * np.arange(rows)[:, None]
    return np.bincount(places.ravel(), minlength=drawn.size).reshape(rows, n)


def _bounds(statistic: Callable, sizes, intervals: Intervals) -> tuple[float, float]:
    """Compute a percentile interval by resampling several kinds of units independently.

    statistic: function of the counts of each unit, (resamples, size) per entry of `sizes`; NaNs are
    left out. sizes: numbers of units of each kind, clusters first.
    """
    if sizes[0] == 1:
        return np.nan, np.nan
    with warnings.catch_warnings():
        # SciPy warns of NaNs in its own interval, which is not used.
        warnings.simplefilter("ignore", DegenerateDataWarning)
        redrawn = bootstrap(
            [np.arange(size) for size in sizes],
            lambda *drawn, axis: statistic(*map(_counts, drawn)),
            n_resamples=intervals.resamples,
            method="percentile",
            rng=generator(intervals.seed, "bootstrap"),
            vectorized=True,
            batch=_BATCH,
        ).bootstrap_distribution
    lower = tail(sizes[0], intervals.confidence)
    low, high = np.nanquantile(redrawn, [lower, 1 - lower])
    return float(low), float(high)


def clustered(
    values: np.ndarray, clusters: np.ndarray, statistic: Callable, intervals: Intervals
) -> tuple[float, float, float]:
    """Compute a mean or median with an interval that resamples clusters of values.

    Args:
        values: (n,); NaNs are left out.
        clusters: a label per value.
        statistic: `np.mean` or `np.median`.
        intervals: settings of the bootstrap; percentiles are expanded (`tail`).

    Returns:
        The statistic of all values and its bounds; NaN bounds for a single cluster.
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

    return value, *_bounds(redrawn, [len(names)], intervals)


def centre(
    values: np.ndarray, statistic: Callable, intervals: Intervals
) -> tuple[float, float, float]:
    """Compute a mean or median of `values` with its bootstrap interval; NaNs are left out."""
    clusters = np.arange(len(values))
    return clustered(values, clusters, statistic, intervals)


class Excess(NamedTuple):
    """The excess of a model's values over those of a null.

    value: difference of the two means or medians. low, high: its interval.
    p: two-sided p-value of the permutation test.
    dominance: Cliff's delta, from −1 (all values below the null's) to 1 (all above).
    """

    value: float
    low: float
    high: float
    p: float
    dominance: float


def excess(
    model: np.ndarray,
    model_clusters: np.ndarray,
    null: np.ndarray,
    null_clusters: np.ndarray,
    null_draws: np.ndarray | None,
    statistic: Callable,
    intervals: Intervals,
    permutations: int | None = None,
) -> Excess:
    """Estimate the excess of a model's mean or median over a null's, over shared clusters.

    The interval resamples clusters (the same in both samples) and replicates of the null: the
    pigeonhole bootstrap (Owen 2007, Annals of Applied Statistics 1, 386–411) with expanded percentiles
    (`tail`). The permutation test exchanges model and null values within clusters. It ignores
    replicates, so it rejects too often where the values of a replicate are correlated. Cliff's delta is
    computed within clusters and averaged.

    Args:
        model, null: the values; NaNs are left out.
        model_clusters, null_clusters: a label per value (its word or layer). Clusters that only one
            sample has are left out.
        null_draws: the replicate of each null value; None if the null is not random.
        statistic: `np.mean` or `np.median`.
        intervals: settings of the bootstrap.
        permutations: number of permutations; `intervals.resamples` if None.
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
    low, high = _bounds(redrawn, sizes, intervals)
    value = difference(1 * is_model, 1 * ~is_model)
    # Values that differ only by rounding count as equally extreme.
    extreme = np.abs(value) - 1e-9 * np.abs(values).max()
    permuted = generator(intervals.seed, "permutations")
    members = [np.flatnonzero(cluster == name) for name in range(len(shared))]
    beyond = 0
    permutations = permutations or intervals.resamples
    for first in range(0, permutations, _BATCH):
        # Floats, since products with booleans are slow.
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
    """Compute Cliff's delta of model against null values within clusters, averaged over clusters."""
    deltas = []
    for name in range(cluster.max() + 1):
        model, null = (values[(cluster == name) & which] for which in (is_model, ~is_model))
        deltas.append(np.sign(model[:, None] - null).mean())
    return float(np.mean(deltas))


def rate_difference(
    first: float, second: float, trials: int, confidence: float
) -> tuple[float, float]:
    """Compute the interval of the difference of two rates; NaNs without a trial.

    The method (Newcombe 1998, method 10) combines two Wilson intervals. Unlike a bootstrap interval, it
    has a positive width even if all trials of both samples have the same outcome.

    Args:
        first, second: the rates.
        trials: number of trials of each.
        confidence: confidence level.
    """
    if trials == 0:
        return np.nan, np.nan
    low, high = confint_proportions_2indep(
        first * trials, trials, second * trials, trials, method="newcomb", alpha=1 - confidence
    )
    return float(low), float(high)


def holm(p: np.ndarray) -> np.ndarray:
    """Correct p-values for multiple testing (Holm); NaNs stay NaN and do not count."""
    corrected = np.array(p, dtype=np.float64)
    known = np.isfinite(corrected)
    if known.any():
        corrected[known] = multipletests(corrected[known], method="holm")[1]
    return corrected


def paired_difference(
    first: np.ndarray, second: np.ndarray, intervals: Intervals
) -> tuple[float, float, float]:
    """Compute the mean of first − second over pairs (words), with its bootstrap interval."""
    return centre(np.asarray(first) - np.asarray(second), np.mean, intervals)
