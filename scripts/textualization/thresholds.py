"""The group size at which words come back."""

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import expit, logit

from textualization.estimates import tail
from textualization.starts import generator

# Penalties on the squares of intercept and slope (per range of log sizes): next to nothing beside
# a single trial. They decide only where the likelihood rises forever.
_RIDGE = np.array([1e-10, 1e-7])
_CLOSE = 1e-4  # of logits: a curve that ends this far below a level reaches it, but for the ridge


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


def _penalised(a, b, x, successes, trials) -> np.ndarray:
    """Log-likelihood of logit p = a + b x, less the ridge. a, b: (...,); the others (..., S)."""
    eta = a[..., None] + b[..., None] * x
    fit = (successes * eta - trials * np.logaddexp(0, eta)).sum(axis=-1)
    return fit - (_RIDGE[0] * a**2 + _RIDGE[1] * b**2) / 2


def fit_curve(sizes, successes: np.ndarray, trials: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logistic regression of recovery on log size, by Newton's method: (intercept, slope).

    sizes: (S,). successes, trials: (..., S), of any size; successes may be sums of shares. Where
    sizes separate failures from successes, the slope is large but finite and p = 1/2 falls in the
    geometric middle between them; where all fail or all succeed, the slope is 0 and the intercept
    finite. NaNs where there is no trial.
    """
    successes, trials = np.broadcast_arrays(*np.asarray([successes, trials], dtype=np.float64))
    x = np.log(np.asarray(sizes, dtype=np.float64))
    scale = np.ptp(x) or 1.0
    total = trials.sum(axis=-1)
    # About their mean the sizes say nothing of the intercept, nor it of the slope.
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
        size[worse] = 0  # rounding: this is the top
        a, b = a + size * step_a, b + size * step_b
        best = np.where(worse, best, found)
        if not np.any(size * np.maximum(np.abs(step_a), np.abs(step_b)) > 1e-10):
            break
    slope = np.where(total > 0, b / scale, np.nan)[()]
    return a - slope * middle, slope


def _reaching(sizes, intercept: np.ndarray, slope: np.ndarray, level: float) -> np.ndarray:
    """Size at which curves reach `level`: the smallest if they start there, else NaN past the last.

    sizes: ascending. intercept, slope: (...,).
    """
    short = logit(level) - intercept
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        at = np.clip(np.exp(short / slope), sizes[0], sizes[-1])
    at = np.where(slope * np.log(sizes[-1]) >= short - _CLOSE, at, np.nan)
    # A falling curve that is there at the last size is so at the first.
    return np.where(slope * np.log(sizes[0]) >= short - _CLOSE, sizes[0], at)


def _counted(sizes, recovered) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sizes and words (rows) with any entry, as sizes, successes and trials; sizes ascending."""
    recovered = np.asarray(recovered, dtype=np.float64)
    known = np.isfinite(recovered)
    studied = known.any(axis=0)
    return (
        np.asarray(sizes, dtype=np.float64)[studied],
        np.where(known, recovered, 0)[:, studied],
        known[:, studied].astype(np.float64),
    )


def threshold(
    sizes, recovered: np.ndarray, level: float, confidence: float, resamples: int, seed: int
) -> dict[str, float]:
    """The group size at which recovery reaches `level`, with a bootstrap interval over words.

    recovered: (words, sizes), the share of a word's optima that were recovered, NaN where a word was
    not studied; sizes ascending. All words follow one logistic curve in log size. It is not
    extrapolated: a level reached before the smallest size is put there.

    Returns `value`, `ci_low`, `ci_high` (NaN value: not reached; infinite bound: the resamples at
    that quantile do not reach it; NaN bounds: fewer than two words), `isotonic` (`crossing` of the
    mean rates) and `share_reaching` (of the resamples). Percentiles are expanded (`tail`).
    """
    sizes, successes, trials = _counted(sizes, recovered)
    seen = trials.any(axis=1)
    successes, trials = successes[seen], trials[seen]
    words = len(successes)
    if words == 0:
        return dict.fromkeys(["value", "ci_low", "ci_high", "isotonic", "share_reaching"], np.nan)
    pooled, tried = successes.sum(axis=0), trials.sum(axis=0)
    found = {"value": float(_reaching(sizes, *fit_curve(sizes, pooled, tried), level))}
    times = generator(seed, "threshold").multinomial(words, np.full(words, 1 / words), resamples)
    fits = fit_curve(sizes, times @ successes, times @ trials)
    resampled = _reaching(sizes, *fits, level)
    low = high = np.nan
    if words > 1:
        lower = tail(words, confidence)
        reached = np.where(np.isnan(resampled), np.inf, resampled)
        # Order statistics, not interpolation: a bound between a number and infinity means nothing.
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
    confidence: float,
    resamples: int,
    seed: int,
) -> dict[str, float]:
    """How many neurons more than in a null it takes to reach `level`; both over the same words.

    recovered, null: (words, sizes), as for `threshold`; row by row of one word. Words are redrawn for
    both together; draws of a null are not redrawn. Returns `value`, `null_value` and its bounds
    `null_low`, `null_high`, and `excess`, `excess_low`, `excess_high`: NaN where a level is not reached,
    a bound where the resamples at that quantile do not reach it in both. No excess is given where
    either is reached at the smallest size already: all that is known is that it lies there or below.
    """
    words = len(recovered)
    values, resampled = [], []
    times = generator(seed, "threshold").multinomial(words, np.full(words, 1 / words), resamples)
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
        # Where neither is reached nothing can be said of that resample: it counts on both sides.
        unknown = np.isnan(difference)
        lowest, highest = (np.where(unknown, end, difference) for end in (-np.inf, np.inf))
        sides = (resampled[1], resampled[1], lowest, highest)
        lower = tail(words, confidence)
        for name, side, place in zip(bounds, sides, 2 * (lower, 1 - lower), strict=True):
            bounds[name] = float(np.quantile(side, place, method="inverted_cdf"))
    if min(values) <= sizes[0]:
        found["excess"] = bounds["excess_low"] = bounds["excess_high"] = np.nan
    return found | bounds


def word_thresholds(sizes, recovered: np.ndarray, level: float) -> np.ndarray:
    """The group size at which each word's recovery reaches `level`: (words,).

    recovered: as in `threshold`. The slope is that of all words together; a word's own intercept
    maximises its likelihood under Jeffreys' prior (Firth 1993, Biometrika 80, 27–38), and so is
    finite even if the word always or never comes back. Sizes beyond those studied are
    extrapolations. NaN where a word has no entry, and for all words if the common slope does not
    rise.
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
    """Intercepts a of logit p = a + offset: greatest ℓ(a) + ½ log Σ m p (1 − p). (words,).

    offsets: (S,). successes, trials (m): (words, S).
    """

    def score(eta: np.ndarray) -> np.ndarray:
        p = expit(eta)
        weight = trials * p * (1 - p)
        pull = (weight * (1 - 2 * p)).sum(axis=-1) / weight.sum(axis=-1) / 2
        return (successes - trials * p).sum(axis=-1) + pull

    # At the ends of the grid the score is all but ½ or more, and −½ or less.
    margin = np.log(2 * len(offsets)) + 5
    grid = np.linspace(-offsets.max() - margin, -offsets.min() + margin, 2001)
    eta = grid[:, None] + offsets
    rising = np.stack([score(row) for row in eta], axis=1) > 0
    likelihood = successes @ eta.T - trials @ np.logaddexp(0, eta).T
    height = likelihood + np.log(trials @ (expit(eta) * expit(-eta)).T) / 2
    # Where the slope is steep there may be two tops, just after the last failure and just before
    # the first success: then the middle between them, unless one is higher.
    top = np.where(rising[:, :-1] & ~rising[:, 1:], height[:, :-1], -np.inf)
    high_top = top >= top.max(axis=1, keepdims=True) - 0.01
    first, last = np.argmax(high_top, axis=1), len(grid) - 2 - np.argmax(high_top[:, ::-1], axis=1)
    tops = []
    for place in (first, last):
        low, high = grid[place], grid[place + 1]
        for _ in range(50):
            a = (low + high) / 2
            rises = score(a[:, None] + offsets) > 0
            low, high = np.where(rises, a, low), np.where(rises, high, a)
        tops.append(low)
    return (tops[0] + tops[1]) / 2
