"""Thresholds: the group size at which a given share of words is recovered."""

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import expit, logit

from textualization.analysis.estimates import Intervals, tail
from textualization.draws import generator

# Penalties on the squares of intercept and slope (per range of log sizes), negligible compared with a
# single trial. They matter only where the likelihood has no maximum.
_RIDGE = np.array([1e-10, 1e-7])
_CLOSE = 1e-4  # in logits: a curve that ends this close below a level counts as reaching it


def crossing(sizes, rates, level: float) -> float:
    """Find the group size at which a recovery curve first reaches `level`.

    The curve is made monotone up to its highest point (isotonic regression) and interpolated in log
    size.

    Args:
        sizes: group sizes, ascending.
        rates: recovery at each size.
        level: between 0 and 1.

    Returns:
        The size; the smallest size if the curve starts at `level` or above, NaN if it stays below.
    """
    rates = np.asarray(rates, dtype=np.float64)
    top = int(np.argmax(rates)) + 1
    rising = isotonic_regression(rates[:top]).x
    if rising[-1] < level:
        return np.nan
    after = int(np.argmax(rising >= level))
    if after == 0:
        return float(sizes[0])
    x, y = np.log(sizes[after - 1 : after + 1]), rising[after - 1 : after + 1]
    return float(np.exp(x[0] + (level - y[0]) / (y[1] - y[0]) * (x[1] - x[0])))


def _penalised(a, b, x, successes, trials) -> np.ndarray:
    """Compute the ridge-penalised log-likelihood of logit p = a + b x. a, b: (...,); others (..., S)."""
    eta = a[..., None] + b[..., None] * x
    fit = (successes * eta - trials * np.logaddexp(0, eta)).sum(axis=-1)
    return fit - (_RIDGE[0] * a**2 + _RIDGE[1] * b**2) / 2


def fit_curve(sizes, successes: np.ndarray, trials: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit a logistic regression of recovery on log size by Newton's method.

    Args:
        sizes: (S,).
        successes, trials: (..., S); successes may be fractional.

    Returns:
        Intercept and slope, (...,); NaNs without a trial. If a size separates failures from successes,
        the slope is large but finite, and p = 1/2 at the geometric mean of the two sizes. If all trials
        fail or all succeed, the slope is 0 and the intercept finite.
    """
    successes, trials = np.broadcast_arrays(*np.asarray([successes, trials], dtype=np.float64))
    x = np.log(np.asarray(sizes, dtype=np.float64))
    scale = np.ptp(x) or 1.0
    total = trials.sum(axis=-1)
    # Centring makes intercept and slope nearly independent.
    middle = (trials @ x) / np.where(total > 0, total, 1)
    z = (x - middle[..., None]) / scale
    a, b = np.zeros(total.shape), np.zeros(total.shape)
    best = _penalised(a, b, z, successes, trials)
    for _ in range(200):
        p = expit(a[..., None] + b[..., None] * z)
        left, weight = successes - trials * p, trials * p * (1 - p)
        da, db = left.sum(axis=-1) - _RIDGE[0] * a, (left * z).sum(axis=-1) - _RIDGE[1] * b
        aa, ab = weight.sum(axis=-1) + _RIDGE[0], (weight * z).sum(axis=-1)
        bb = (weight * z**2).sum(axis=-1) + _RIDGE[1]
        det = aa * bb - ab**2
        step_a, step_b = (bb * da - ab * db) / det, (aa * db - ab * da) / det
        size = np.ones(total.shape)
        for _ in range(30):
            found = _penalised(a + size * step_a, b + size * step_b, z, successes, trials)
            worse = found < best - 1e-12 * np.abs(best)
            if not worse.any():
                break
            size[worse] /= 2
        size[worse] = 0  # only rounding is left: this is the maximum
        a, b = a + size * step_a, b + size * step_b
        best = np.where(worse, best, found)
        if not np.any(size * np.maximum(np.abs(step_a), np.abs(step_b)) > 1e-10):
            break
    slope = np.where(total > 0, b / scale, np.nan)[()]
    return a - slope * middle, slope


def _reaching(sizes, intercept: np.ndarray, slope: np.ndarray, level: float) -> np.ndarray:
    """Find the sizes at which curves reach `level`: the first if they start there, NaN past the last."""
    short = logit(level) - intercept
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        at = np.clip(np.exp(short / slope), sizes[0], sizes[-1])
    at = np.where(slope * np.log(sizes[-1]) >= short - _CLOSE, at, np.nan)
    # A falling curve that is above the level at the last size is also above it at the first.
    return np.where(slope * np.log(sizes[0]) >= short - _CLOSE, sizes[0], at)


def _counted(sizes, recovered) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the sizes that have an entry, with successes and trials, (words, sizes)."""
    recovered = np.asarray(recovered, dtype=np.float64)
    known = np.isfinite(recovered)
    studied = known.any(axis=0)
    return (
        np.asarray(sizes, dtype=np.float64)[studied],
        np.where(known, recovered, 0)[:, studied],
        known[:, studied].astype(np.float64),
    )


def fit_threshold(
    sizes, recovered: np.ndarray, level: float, intervals: Intervals
) -> dict[str, float]:
    """Estimate the group size at which recovery reaches `level`, with a bootstrap interval over words.

    One logistic curve in log size is fitted to all words. It is not extrapolated: if the curve starts
    above `level`, the value is the smallest size.

    Args:
        sizes: group sizes, ascending.
        recovered: (words, sizes), the share of recovered optima; NaN where a word was not studied.
        level: between 0 and 1.
        intervals: settings of the bootstrap; percentiles are expanded (`tail`).

    Returns:
        `value` (NaN: not reached), `ci_low`, `ci_high` (infinite: the resamples at that quantile do not
        reach the level; NaN: fewer than two words), `isotonic` (`crossing` of the mean rates),
        `share_reaching` (the share of resamples that reach the level).
    """
    sizes, successes, trials = _counted(sizes, recovered)
    seen = trials.any(axis=1)
    successes, trials = successes[seen], trials[seen]
    words = len(successes)
    if words == 0:
        return dict.fromkeys(["value", "ci_low", "ci_high", "isotonic", "share_reaching"], np.nan)
    pooled, tried = successes.sum(axis=0), trials.sum(axis=0)
    found = {"value": float(_reaching(sizes, *fit_curve(sizes, pooled, tried), level))}
    times = generator(intervals.seed, "threshold").multinomial(
        words, np.full(words, 1 / words), intervals.resamples
    )
    fits = fit_curve(sizes, times @ successes, times @ trials)
    resampled = _reaching(sizes, *fits, level)
    low = high = np.nan
    if words > 1:
        lower = tail(words, intervals.confidence)
        reached = np.where(np.isnan(resampled), np.inf, resampled)
        # Order statistics, since one cannot interpolate between a number and infinity.
        low, high = np.quantile(reached, [lower, 1 - lower], method="inverted_cdf")
    return found | {
        "ci_low": float(low),
        "ci_high": float(high),
        "isotonic": crossing(sizes, pooled / tried, level),
        "share_reaching": float(np.isfinite(resampled).mean()),
    }


def threshold_excess(
    sizes,
    recovered: np.ndarray,
    null: np.ndarray,
    level: float,
    intervals: Intervals,
) -> dict[str, float]:
    """Estimate the excess of a threshold over a null's, over the same words.

    The interval resamples words (the same in both), but not replicates of the null.

    Args:
        sizes, level, intervals: see `fit_threshold`.
        recovered, null: (words, sizes), as in `fit_threshold`, the same word in each row of both.

    Returns:
        `value`, `null_value`, `null_low`, `null_high`, `excess`, `excess_low`, `excess_high`; NaN and
        infinite values as in `fit_threshold`. The excess is NaN too if either value is the smallest
        size, since that threshold may lie below the sizes studied.
    """
    words = len(recovered)
    values, resampled = [], []
    times = generator(intervals.seed, "threshold").multinomial(
        words, np.full(words, 1 / words), intervals.resamples
    )
    for curves in (recovered, null):
        known, successes, trials = _counted(sizes, curves)
        pooled = fit_curve(known, successes.sum(axis=0), trials.sum(axis=0))
        values.append(float(_reaching(known, *pooled, level)))
        reached = _reaching(known, *fit_curve(known, times @ successes, times @ trials), level)
        resampled.append(np.where(np.isnan(reached), np.inf, reached))
    found = {"value": values[0], "null_value": values[1], "excess": values[0] - values[1]}
    bounds = dict.fromkeys(("null_low", "null_high", "excess_low", "excess_high"), np.nan)
    if words > 1:
        with np.errstate(invalid="ignore"):
            difference = resampled[0] - resampled[1]
        # A resample in which neither reaches the level is undecided: it widens the interval both ways.
        unknown = np.isnan(difference)
        lowest, highest = (np.where(unknown, end, difference) for end in (-np.inf, np.inf))
        sides = (resampled[1], resampled[1], lowest, highest)
        lower = tail(words, intervals.confidence)
        for name, side, place in zip(bounds, sides, 2 * (lower, 1 - lower), strict=True):
            bounds[name] = float(np.quantile(side, place, method="inverted_cdf"))
    if min(values) <= sizes[0]:
        found["excess"] = bounds["excess_low"] = bounds["excess_high"] = np.nan
    return found | bounds


def word_thresholds(sizes, recovered: np.ndarray, level: float) -> np.ndarray:
    """Estimate the group size at which each word's recovery reaches `level`: (words,).

    All words share one slope. Each word's own intercept maximises its likelihood under Jeffreys' prior
    (Firth 1993, Biometrika 80, 27–38), so it is finite even if the word is always or never recovered.
    Values outside of the sizes studied are extrapolations. NaN for words without an entry, and for all
    words if the common slope is not positive. Arguments: see `fit_threshold`.
    """
    found = np.full(len(recovered), np.nan)
    sizes, successes, trials = _counted(sizes, recovered)
    seen = trials.any(axis=1)
    if not seen.any():
        return found
    _, slope = fit_curve(sizes, successes.sum(axis=0), trials.sum(axis=0))
    if slope > 0:
        intercepts = _jeffreys(slope * np.log(sizes), successes[seen], trials[seen])
        with np.errstate(over="ignore"):
            found[seen] = np.exp((logit(level) - intercepts) / slope)
    return found


def _jeffreys(offsets: np.ndarray, successes: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Find the intercepts a of logit p = a + offset that maximise ℓ(a) + ½ log Σ m p (1 − p), (words,).

    offsets: (S,). successes, trials (m): (words, S).
    """

    def score(eta: np.ndarray) -> np.ndarray:
        p = expit(eta)
        weight = trials * p * (1 - p)
        pull = (weight * (1 - 2 * p)).sum(axis=-1) / weight.sum(axis=-1) / 2
        return (successes - trials * p).sum(axis=-1) + pull

    # At the ends of the grid, the score is at least about ½ and at most about −½.
    margin = np.log(2 * len(offsets)) + 5
    grid = np.linspace(-offsets.max() - margin, -offsets.min() + margin, 2001)
    eta = grid[:, None] + offsets
    rising = np.stack([score(row) for row in eta], axis=1) > 0
    likelihood = successes @ eta.T - trials @ np.logaddexp(0, eta).T
    height = likelihood + np.log(trials @ (expit(eta) * expit(-eta)).T) / 2
    # A steep slope may give two maxima, just after the last failure and just before the first success:
    # take the mean of both, unless one is higher.
    top = np.where(rising[:, :-1] & ~rising[:, 1:], height[:, :-1], -np.inf)
    high_top = top >= top.max(axis=1, keepdims=True) - 0.01
    first, last = np.argmax(high_top, axis=1), len(grid) - 2 - np.argmax(high_top[:, ::-1], axis=1)
    tops = []
    for cell in (first, last):
        low, high = grid[cell], grid[cell + 1]
        for _ in range(50):
            a = (low + high) / 2
            rises = score(a[:, None] + offsets) > 0
            low, high = np.where(rises, a, low), np.where(rises, high, a)
        tops.append(low)
    return (tops[0] + tops[1]) / 2
