"""Estimates with intervals: rates, means, medians, and the group size at which words come back."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.stats import bootstrap
from statsmodels.stats.proportion import proportion_confint

from textualization.starts import generator


def rate(successes: np.ndarray, confidence: float) -> tuple[float, float, float]:
    """Share of successes with its Wilson interval; NaNs if there are none to count.

    successes: one entry per trial, between 0 and 1 where a trial is itself a mean (of restarts).
    """
    n, k = len(successes), float(np.sum(successes))
    if n == 0:
        return np.nan, np.nan, np.nan
    low, high = proportion_confint(k, n, alpha=1 - confidence, method="wilson")
    return k / n, float(low), float(high)


def centre(
    values: np.ndarray, statistic: Callable, confidence: float, resamples: int, seed: int
) -> tuple[float, float, float]:
    """A mean or median of `values` with its bootstrap interval (percentile); NaNs are left out."""
    values = np.asarray(values, dtype=np.float64)
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return np.nan, np.nan, np.nan
    value = float(statistic(values))
    if len(values) == 1 or np.ptp(values) == 0:
        return value, np.nan if len(values) == 1 else value, np.nan if len(values) == 1 else value
    interval = bootstrap(
        (values,),
        statistic,
        confidence_level=confidence,
        n_resamples=resamples,
        method="percentile",
        rng=generator(seed, "bootstrap"),
        batch=256,
    ).confidence_interval
    return value, float(interval.low), float(interval.high)


def crossing(sizes, rates, level: float) -> float:
    """The group size at which a recovery curve first reaches `level`.

    The curve is made monotone (isotonic regression) up to its highest point, and interpolated in
    log size. NaN if it never gets there; the smallest size if it starts there.
    """
    rates = np.asarray(rates, dtype=np.float64)
    top = int(np.argmax(rates)) + 1
    climb = isotonic_regression(rates[:top]).x
    if climb[-1] < level:
        return np.nan
    after = int(np.argmax(climb >= level))
    if after == 0:
        return float(sizes[0])
    x, y = np.log(sizes[after - 1 : after + 1]), climb[after - 1 : after + 1]
    return float(np.exp(x[0] + (level - y[0]) / (y[1] - y[0]) * (x[1] - x[0])))


def threshold(
    sizes, recovered: np.ndarray, level: float, confidence: float, resamples: int, seed: int
) -> dict[str, float]:
    """The group size at which recovery reaches `level`, with a bootstrap interval over words.

    recovered: (words, sizes), the share of a word's optima that were recovered, sizes ascending.
    Returns `value`, `ci_low`, `ci_high` (NaN value: not reached; infinite bound: the resamples at
    that quantile do not reach it) and `share_reaching` (of the resamples).
    """
    draws = generator(seed, "threshold").integers(len(recovered), size=(resamples, len(recovered)))
    resampled = np.array([crossing(sizes, recovered[d].mean(axis=0), level) for d in draws])
    reached = np.where(np.isnan(resampled), np.inf, resampled)
    tail = (1 - confidence) / 2
    # Order statistics, not interpolation: a bound between a number and infinity means nothing.
    low, high = np.quantile(reached, [tail, 1 - tail], method="inverted_cdf")
    return {
        "value": crossing(sizes, recovered.mean(axis=0), level),
        "ci_low": float(low),
        "ci_high": float(high),
        "share_reaching": float(np.isfinite(resampled).mean()),
    }


def paired_difference(
    first: np.ndarray, second: np.ndarray, confidence: float, resamples: int, seed: int
) -> tuple[float, float, float]:
    """Mean of first − second over pairs (words), with its bootstrap interval."""
    return centre(np.asarray(first) - np.asarray(second), np.mean, confidence, resamples, seed)
