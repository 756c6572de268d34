"""Sizes at which words are recovered, beside closed forms, statsmodels, loops and simulations."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize_scalar
from scipy.special import expit

from textualization.analysis.estimates import Intervals, tail
from textualization.analysis.thresholds import (
    crossing,
    fit_curve,
    fit_threshold,
    threshold_excess,
    word_thresholds,
)

MANY = Intervals(confidence=0.95, resamples=2000, seed=1)
SIZES = np.array([10, 30, 100, 300, 900])


@pytest.mark.parametrize(
    ("sizes", "rates", "level", "expected"),
    [
        ([10, 1000], [0.0, 1.0], 0.5, 100),  # halfway on a log scale
        ([10, 100, 1000], [0.0, 0.5, 1.0], 0.5, 100),  # reached at a size exactly
        ([10, 100, 1000], [0.2, 0.4, 0.6], 0.5, math.sqrt(100 * 1000)),
        ([10, 100], [0.5, 1.0], 0.5, 10),  # it starts there
        ([10, 100], [0.9, 1.0], 0.5, 10),
        ([10, 100], [0.1, 0.4], 0.5, math.nan),
        ([10, 100], [0.0, 0.0], 0.5, math.nan),
        ([10, 100, 1000], [0.0, 1.0, 0.0], 0.5, math.sqrt(10 * 100)),  # a fall comes after
        ([10, 100, 1000], [0.8, 0.1, 0.3], 0.5, 10),
        # 0.6 and 0.4 are levelled to 0.5, and the way there begins at 0.2.
        ([10, 100, 200, 1000], [0.2, 0.6, 0.4, 0.9], 0.5, 100),
        ([10, 100, 200, 1000], [0.2, 0.6, 0.4, 0.9], 0.7, math.sqrt(200 * 1000)),
        ([30], [0.7], 0.5, 30),
        ([30], [0.3], 0.5, math.nan),
    ],
)
def test_a_curve_crosses_a_level_where_log_interpolation_says(sizes, rates, level, expected):
    assert crossing(sizes, rates, level) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("seed", range(5))
def test_a_noisy_curve_crosses_where_its_levelled_form_does(seed):
    draw = np.random.default_rng(seed)
    sizes = np.sort(draw.choice(np.arange(5, 900), 9, replace=False))
    rates = np.clip(np.linspace(0.05, 0.85, 9) + draw.normal(0, 0.15, 9), 0, 1)
    top = max(range(9), key=lambda i: (rates[i], -i))
    # Isotonic regression by its max-min formula.
    levelled = [
        max(
            min(math.fsum(rates[a : b + 1]) / (b + 1 - a) for b in range(i, top + 1))
            for a in range(i + 1)
        )
        for i in range(top + 1)
    ]
    for level in (0.3, 0.5, 0.67):
        at = np.exp(np.linspace(np.log(sizes[0]), np.log(sizes[top]), 20001))
        reached = np.interp(np.log(at), np.log(sizes[: top + 1]), levelled) >= level
        expected = at[reached.argmax()] if reached.any() else math.nan
        found = crossing(sizes, rates, level)
        assert found == pytest.approx(expected, rel=1e-3, nan_ok=True)


def _simulated(seed, words=40, slope=1.5, half=100, spread=0.0):
    draw = np.random.default_rng(seed)
    own = np.log(half) + spread * draw.normal(size=words)
    chance = expit(slope * (np.log(SIZES) - own[:, None]))
    return (draw.uniform(size=chance.shape) < chance).astype(float)


def test_curves_are_those_of_a_generalised_linear_model():
    draw = np.random.default_rng(0)
    trials = draw.integers(5, 40, size=(4, 3, 5))
    middle = draw.uniform(3, 6, size=(4, 3, 1))
    slope = draw.uniform(-1, 2, size=(4, 3, 1))
    successes = draw.binomial(trials, expit(slope * (np.log(SIZES) - middle)))
    intercepts, slopes = fit_curve(SIZES, successes, trials)
    assert slopes.shape == (4, 3)
    for place in np.ndindex(4, 3):
        s, n = successes[place], trials[place]
        model = sm.GLM(
            np.stack([s, n - s], axis=1), sm.add_constant(np.log(SIZES)), sm.families.Binomial()
        )
        expected = model.fit(tol=1e-12).params
        assert (intercepts[place], slopes[place]) == pytest.approx(expected, rel=1e-4)


def test_shares_and_a_few_trials_change_nothing_about_the_fit():
    successes, trials = np.array([0.2, 0.9, 0.4, 0.7, 1.0]), np.ones(5)
    a, b = fit_curve(SIZES, successes, trials)
    p = expit(a + b * np.log(SIZES))  # the score equations
    assert np.sum(successes - p) == pytest.approx(0, abs=1e-5)
    assert np.sum((successes - p) * np.log(SIZES)) == pytest.approx(0, abs=1e-5)
    assert fit_curve(SIZES, 50 * successes, 50 * trials) == pytest.approx((a, b), rel=1e-4)


def test_steps_that_would_overshoot_are_shortened():
    # The first size says next to nothing: the curve goes through the rates at the other two.
    a, b = fit_curve([3.61, 71_566, 78_344], [0, 1, 16], [214, 1391, 33])
    assert expit(a + b * np.log([71_566, 78_344])) == pytest.approx([1 / 1391, 16 / 33], rel=1e-2)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("successes", "half"),
    [
        ([0, 7, 7, 7, 7], math.sqrt(10 * 30)),
        ([0, 0, 7, 7, 7], math.sqrt(30 * 100)),
        ([0, 0, 0, 0, 7], math.sqrt(300 * 900)),
        ([7, 7, 0, 0, 0], math.sqrt(30 * 100)),
    ],
)
def test_separated_sizes_are_parted_in_the_middle(successes, half):
    a, b = fit_curve(SIZES, successes, np.full(5, 7))
    assert np.isfinite([a, b]).all()
    assert np.exp(-a / b) == pytest.approx(half, rel=1e-3)
    assert (b > 0) == (successes[-1] > 0)
    uneven = fit_curve(SIZES, 3 * np.array(successes), 7 * np.array([3, 3, 3, 3, 3]))
    assert np.isfinite(uneven).all()


@pytest.mark.filterwarnings("error")
def test_all_or_none_make_a_level_curve():
    for successes in (np.zeros(5), np.full(5, 4)):
        a, b = fit_curve(SIZES, successes, np.full(5, 4))
        assert np.isfinite(a)
        assert abs(b) < 1e-9
        assert expit(a) == pytest.approx(successes[0] / 4, abs=1e-6)
    assert fit_curve([30], [3], [4]) == pytest.approx((math.log(3), 0), abs=1e-6)
    assert np.isnan(fit_curve(SIZES, np.zeros(5), np.zeros(5))).all()


def test_sizes_without_trials_do_not_count():
    found = fit_curve(SIZES, [1, 0, 2, 0, 4], [5, 0, 5, 0, 5])
    assert found == pytest.approx(fit_curve(SIZES[::2], [1, 2, 4], [5, 5, 5]), rel=1e-6)


def _value(sizes, rates, level, words=20):
    """The threshold of words of which shares `rates` are recovered, for certain."""
    recovered = np.arange(words)[:, None] < words * np.asarray(rates)
    return fit_threshold(sizes, recovered.astype(float), level, Intervals(0.95, 50, 1))["value"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("sizes", "rates", "level", "expected"),
    [
        ([10, 1000], [0.25, 0.75], 0.5, 100),  # as far below as above
        ([10, 1000], [0.1, 0.5], 0.5, 1000),  # reached at the last size exactly
        ([10, 1000], [0.0, 0.5], 0.5, 1000),
        ([10, 1000], [0.1, 0.45], 0.5, math.nan),  # not extrapolated
        ([10, 1000], [0.5, 0.9], 0.5, 10),
        ([10, 1000], [0.6, 0.9], 0.5, 10),
        ([10, 100, 1000], [0.1, 0.5, 0.9], 0.9, 1000),
        ([10, 100, 1000], [0.1, 0.5, 0.9], 0.1, 10),
        ([10, 1000], [0.9, 0.1], 0.5, 10),  # a fall
        ([10, 1000], [0.4, 0.1], 0.5, math.nan),
        ([10, 1000], [0.4, 0.4], 0.5, math.nan),
        ([10, 1000], [0.6, 0.6], 0.5, 10),
        ([10, 1000], [1.0, 1.0], 0.5, 10),
        ([10, 1000], [0.0, 0.0], 0.5, math.nan),
        ([30], [0.7], 0.5, 30),
        ([30], [0.3], 0.5, math.nan),
    ],
)
def test_a_level_is_reached_within_the_sizes_or_not_at_all(sizes, rates, level, expected):
    found = _value(sizes, rates, level)
    assert found == pytest.approx(expected, rel=1e-3, nan_ok=True)
    assert math.isnan(found) or sizes[0] <= found <= sizes[-1]


def test_levels_lie_where_the_fitted_curve_has_them():
    a, b = fit_curve(SIZES, [2, 6, 9, 16, 18], np.full(5, 20))
    for level in (0.3, 0.5, 0.8):
        found = _value(SIZES, np.array([2, 6, 9, 16, 18]) / 20, level)
        assert expit(a + b * math.log(found)) == pytest.approx(level)


def test_words_that_all_agree_leave_no_doubt_about_the_threshold():
    recovered = np.tile([0.0, 0.0, 1.0], (5, 1))
    found = fit_threshold([10, 100, 1000], recovered, 0.5, MANY)
    middle = math.sqrt(100 * 1000)
    expected = {name: middle for name in ("value", "ci_low", "ci_high", "isotonic")}
    assert found == pytest.approx(expected | {"share_reaching": 1.0}, rel=1e-3)


def test_a_level_never_reached_has_no_value_and_no_finite_bound():
    found = fit_threshold([10, 100], np.tile([0.0, 0.3], (4, 1)), 0.5, MANY)
    assert np.isnan([found["value"], found["isotonic"]]).all()
    assert (found["ci_low"], found["ci_high"]) == (math.inf, math.inf)
    assert found["share_reaching"] == 0


def test_a_level_that_some_resamples_reach_has_an_infinite_upper_bound():
    # One word is recovered, one never: 3/4 is reached if the first is drawn twice, a chance of 1/4.
    found = fit_threshold([10, 1000], np.array([[0.0, 1.0], [0.0, 0.0]]), 0.75, MANY)
    assert math.isnan(found["value"])
    assert found["share_reaching"] == pytest.approx(0.25, abs=5 * math.sqrt(0.25 * 0.75 / 2000))
    assert 100 <= found["ci_low"] < 130
    assert found["ci_high"] == math.inf


def test_too_few_words_have_no_bounds():
    found = fit_threshold([10, 1000], np.array([[0.0, 1.0], [math.nan, math.nan]]), 0.5, MANY)
    assert found["value"] == pytest.approx(100, rel=1e-3)
    assert np.isnan([found["ci_low"], found["ci_high"]]).all()
    assert np.isnan(
        list(fit_threshold([10, 1000], np.full((2, 2), math.nan), 0.5, MANY).values())
    ).all()


def test_sizes_that_a_word_was_not_studied_at_do_not_count_against_it():
    whole = _simulated(1)
    gaps = np.where(np.random.default_rng(2).uniform(size=whole.shape) < 0.3, math.nan, whole)
    a, b = fit_curve(SIZES, np.nansum(gaps, axis=0), np.isfinite(gaps).sum(axis=0))
    found = fit_threshold(SIZES, gaps, 0.5, MANY)
    assert found["value"] == pytest.approx(math.exp(-a / b))
    assert found["isotonic"] == crossing(SIZES, np.nanmean(gaps, axis=0), 0.5)
    unstudied = np.insert(gaps, 2, math.nan, axis=1)
    again = fit_threshold(np.insert(SIZES, 2, 60), unstudied, 0.5, MANY)
    assert again == pytest.approx(found)

    draw = np.random.RandomState(3)
    redrawn = []
    for _ in range(1000):
        rows = gaps[draw.randint(40, size=40)]
        a, b = fit_curve(SIZES, np.nansum(rows, axis=0), np.isfinite(rows).sum(axis=0))
        redrawn.append(math.exp(-a / b))
    first = round(1000 * tail(40, 0.95))
    assert found["ci_low"] == pytest.approx(sorted(redrawn)[first], rel=0.1)
    assert found["ci_high"] == pytest.approx(sorted(redrawn)[999 - first], rel=0.1)


def test_a_thresholds_interval_is_that_of_plain_resampling_of_words():
    recovered = _simulated(4, words=30)
    found = fit_threshold(SIZES, recovered, 0.5, MANY)
    draw = np.random.RandomState(5)
    design = sm.add_constant(np.log(SIZES))

    def half(rows):
        successes = sum(rows[1:], rows[0])
        counted = np.stack([successes, 30 - successes], axis=1)
        a, b = sm.GLM(counted, design, sm.families.Binomial()).fit().params
        return math.exp(-a / b)

    assert found["value"] == pytest.approx(half(list(recovered)), rel=1e-4)
    redrawn = sorted(half([recovered[i] for i in draw.randint(30, size=30)]) for _ in range(1000))
    first = round(1000 * tail(30, 0.95))
    assert found["ci_low"] == pytest.approx(redrawn[first], rel=0.1)
    assert found["ci_high"] == pytest.approx(redrawn[999 - first], rel=0.1)
    assert found["ci_low"] < found["value"] < found["ci_high"]
    assert fit_threshold(SIZES, recovered, 0.5, MANY) == found


def test_a_thresholds_interval_covers_that_of_the_population():
    covered = []
    for seed in range(400):
        found = fit_threshold(SIZES, _simulated([13, seed]), 0.5, Intervals(0.95, 300, seed))
        covered.append(found["ci_low"] <= 100 <= found["ci_high"])
    assert 0.90 <= np.mean(covered) <= 0.99


def test_words_thresholds_maximise_their_penalised_likelihood():
    recovered = _simulated(6, spread=0.7)
    recovered[3, 1:3] = math.nan
    recovered[5, 2] = 0.4  # a mean of restarts
    found = word_thresholds(SIZES, recovered, 0.7)
    known = np.isfinite(recovered)
    slope = fit_curve(SIZES, np.nansum(recovered, axis=0), known.sum(axis=0))[1]

    def loss(a, word):
        eta = a + slope * np.log(SIZES[known[word]])
        y, p = recovered[word][known[word]], expit(eta)
        likelihood = np.sum(y * np.log(p) + (1 - y) * np.log1p(-p))
        return -(likelihood + math.log(np.sum(p * (1 - p))) / 2)

    for word in range(40):
        best = minimize_scalar(
            loss, args=(word,), bounds=(-20, 10), method="bounded", options={"xatol": 1e-10}
        )
        expected = math.exp((math.log(0.7 / 0.3) - best.x) / slope)
        assert found[word] == pytest.approx(expected, rel=1e-4)


@pytest.mark.filterwarnings("error")
def test_words_that_are_always_or_never_recovered_have_finite_thresholds_beyond_the_sizes():
    recovered = _simulated(7)
    recovered[0], recovered[1], recovered[2] = 0, 1, math.nan
    found = word_thresholds(SIZES, recovered, 0.5)
    assert SIZES[-1] < found[0] < 100 * SIZES[-1]
    assert SIZES[0] / 100 < found[1] < SIZES[0]
    assert math.isnan(found[2])
    assert np.isfinite(np.delete(found, 2)).all()


def test_words_of_sharp_recovery_lie_in_the_middle():
    recovered = np.tile([0.0, 0.0, 0.0, 1.0, 1.0], (4, 1))
    found = word_thresholds(SIZES, recovered, 0.5)
    assert found == pytest.approx(np.full(4, math.sqrt(100 * 300)), rel=0.02)


def test_words_have_no_thresholds_without_a_common_rise():
    assert np.isnan(word_thresholds(SIZES, 1 - _simulated(8), 0.5)).all()
    assert np.isnan(word_thresholds(SIZES, np.full((3, 5), math.nan), 0.5)).all()


def test_words_thresholds_tell_easy_from_hard_words():
    draw = np.random.default_rng(9)
    own = np.log(100) + draw.normal(size=200)
    # Shares of ten optima each.
    recovered = draw.binomial(10, expit(2 * (np.log(SIZES) - own[:, None]))) / 10
    found = np.log(word_thresholds(SIZES, recovered, 0.5))
    assert np.corrcoef(found, own)[0, 1] > 0.9
    assert np.median(found - own) == pytest.approx(0, abs=0.1)


def test_an_excess_of_a_model_over_itself_is_nothing():
    recovered = _simulated(3)
    found = threshold_excess(SIZES, recovered, recovered, 0.5, MANY)
    assert (
        found["value"] == found["null_value"] == fit_threshold(SIZES, recovered, 0.5, MANY)["value"]
    )
    assert (found["excess"], found["excess_low"], found["excess_high"]) == (0, 0, 0)


def test_an_excess_is_that_of_two_thresholds_and_its_interval_that_of_resampled_words():
    model, null = _simulated(4, half=60), _simulated(5, half=200)
    found = threshold_excess(SIZES, model, null, 0.5, MANY)
    alone = [fit_threshold(SIZES, curves, 0.5, MANY) for curves in (model, null)]
    assert found["value"] == alone[0]["value"] and found["null_value"] == alone[1]["value"]
    assert (found["null_low"], found["null_high"]) == (alone[1]["ci_low"], alone[1]["ci_high"])
    assert found["excess"] == pytest.approx(alone[0]["value"] - alone[1]["value"])
    dice, differences = np.random.default_rng(0), []
    for _ in range(1000):
        rows = dice.integers(len(model), size=len(model))
        few = Intervals(confidence=0.9, resamples=1, seed=1)
        both = [fit_threshold(SIZES, curves[rows], 0.5, few)["value"] for curves in (model, null)]
        differences.append(both[0] - both[1])
    lower = tail(len(model), 0.95)
    low, high = np.quantile(differences, [lower, 1 - lower])
    assert found["excess_low"] == pytest.approx(low, rel=0.15)
    assert found["excess_high"] == pytest.approx(high, rel=0.15)


def test_a_null_that_never_gets_there_leaves_an_unbounded_excess():
    model = _simulated(6)
    found = threshold_excess(SIZES, model, np.zeros_like(model), 0.5, MANY)
    assert math.isnan(found["excess"]) and math.isnan(found["null_value"])
    assert found["excess_low"] == found["excess_high"] == -math.inf
    found = threshold_excess(SIZES, np.zeros_like(model), np.zeros_like(model), 0.5, MANY)
    assert (found["excess_low"], found["excess_high"]) == (-math.inf, math.inf)


def test_one_word_has_no_interval_of_an_excess():
    found = threshold_excess(SIZES, _simulated(7)[:1], _simulated(8)[:1], 0.5, MANY)
    assert math.isnan(found["excess_low"]) and math.isnan(found["excess_high"])
