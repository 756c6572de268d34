"""Intervals beside textbook numbers, closed forms and plain resampling."""

import math

import numpy as np
import pytest

from textualization.estimates import centre, crossing, paired_difference, rate, threshold

MANY = {"confidence": 0.95, "resamples": 2000, "seed": 1}


# Newcombe (1998), Statistics in Medicine 17, table I, method 3 (score interval).
@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0000),
    ],
)
def test_rates_have_the_textbooks_wilson_interval(successes, trials, low, high):
    outcomes = np.arange(trials) < successes
    value, *interval = rate(outcomes, 0.95)
    assert value == successes / trials
    assert interval == pytest.approx([low, high], abs=5.1e-5)


def test_a_trial_may_be_a_mean_of_restarts():
    value, low, high = rate(np.array([0.2, 0.2, 0.2]), 0.95)
    assert value == pytest.approx(0.2)
    z, p, n = 1.959964, 0.2, 3
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    assert (low, high) == pytest.approx((middle - half, middle + half), abs=1e-6)


def test_shares_that_round_below_a_whole_number_lose_no_success():
    shares = np.full(10, 0.7)  # ten times 0.7 is a little less than 7 in floating point
    assert rate(shares, 0.95)[0] == pytest.approx(0.7)


def test_no_trial_gives_no_rate():
    assert np.isnan(rate(np.array([]), 0.95)).all()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], (math.nan,) * 3),
        ([math.nan, math.nan], (math.nan,) * 3),
        ([2.5], (2.5, math.nan, math.nan)),
        ([math.nan, 2.5], (2.5, math.nan, math.nan)),
        ([2.5, 2.5, 2.5], (2.5, 2.5, 2.5)),
    ],
)
@pytest.mark.filterwarnings("error")
def test_where_no_interval_is_possible_none_is_given(values, expected):
    for statistic in (np.mean, np.median):
        assert centre(values, statistic, **MANY) == pytest.approx(expected, nan_ok=True)


def test_nans_are_left_out():
    values = np.random.default_rng(0).normal(size=30)
    with_gaps = np.insert(values, [3, 17], math.nan)
    assert centre(with_gaps, np.mean, **MANY) == centre(values, np.mean, **MANY)


def test_a_means_interval_is_the_normal_approximations_where_that_holds():
    values = np.random.default_rng(1).normal(3, 2, size=400)
    value, low, high = centre(values, np.mean, **MANY)
    half = 1.96 * values.std() / 20
    assert value == pytest.approx(math.fsum(values) / 400)
    assert (low, high) == pytest.approx((value - half, value + half), abs=0.15 * half)


def test_a_medians_interval_is_that_of_plain_resampling():
    values = np.random.default_rng(2).exponential(size=41)
    value, low, high = centre(values, np.median, **MANY)
    assert value == sorted(values)[20]
    draw = np.random.RandomState(0)
    medians = sorted(sorted(draw.choice(values, 41))[20] for _ in range(2000))
    assert low == pytest.approx(medians[50], abs=0.06)
    assert high == pytest.approx(medians[1949], abs=0.12)


def test_more_confidence_means_a_wider_interval_and_the_seed_decides_the_draws():
    values = np.random.default_rng(3).normal(size=25)
    wide, narrow = (centre(values, np.mean, c, 1000, 1) for c in (0.99, 0.5))
    assert wide[1] < narrow[1] < narrow[0] < narrow[2] < wide[2]
    assert centre(values, np.mean, 0.99, 1000, 1) == wide
    assert centre(values, np.mean, 0.99, 1000, 2) != wide


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


def test_words_that_all_agree_leave_no_doubt_about_the_threshold():
    recovered = np.tile([0.0, 0.0, 1.0], (5, 1))
    found = threshold([10, 100, 1000], recovered, 0.5, **MANY)
    middle = math.sqrt(100 * 1000)
    assert found == pytest.approx(
        {"value": middle, "ci_low": middle, "ci_high": middle, "share_reaching": 1.0}
    )


def test_a_level_never_reached_has_no_value_and_no_finite_bound():
    found = threshold([10, 100], np.tile([0.0, 0.3], (4, 1)), 0.5, **MANY)
    assert math.isnan(found["value"])
    assert (found["ci_low"], found["ci_high"]) == (math.inf, math.inf)
    assert found["share_reaching"] == 0


def test_a_level_that_some_resamples_reach_has_an_infinite_upper_bound():
    # One word comes back, one never: 3/4 is reached if the first is drawn twice, a chance of 1/4.
    found = threshold([10, 1000], np.array([[0.0, 1.0], [0.0, 0.0]]), 0.75, **MANY)
    assert math.isnan(found["value"])
    assert found["share_reaching"] == pytest.approx(0.25, abs=5 * math.sqrt(0.25 * 0.75 / 2000))
    assert found["ci_low"] == pytest.approx(10 * 100**0.75)
    assert found["ci_high"] == math.inf


def test_a_thresholds_interval_holds_the_share_of_resamples_asked_for():
    # 300 of 400 words come back, all at the larger size: a resample's share is binomial, and a
    # share p crosses 1/2 at 10 · 100^(1/2p). Quartiles lie at 0.6745 deviations.
    recovered = np.zeros((400, 2))
    recovered[:300, 1] = 1
    found = threshold([10, 1000], recovered, 0.5, confidence=0.5, resamples=2000, seed=3)
    spread = 0.6745 * math.sqrt(0.75 * 0.25 / 400)
    for bound, share in (("ci_low", 0.75 + spread), ("ci_high", 0.75 - spread)):
        reached = 0.5 / (math.log(found[bound] / 10) / math.log(100))
        assert reached == pytest.approx(share, abs=0.25 * spread)


def test_a_thresholds_interval_is_that_of_plain_resampling_of_words():
    sizes = [10, 30, 100, 300]
    first = np.random.default_rng(4).integers(0, 4, size=30)  # all come back at 300
    recovered = (np.arange(4) >= first[:, None]).astype(float)
    found = threshold(sizes, recovered, 0.5, **MANY)
    draw = np.random.RandomState(5)

    def crossed(rows):
        return crossing(sizes, [sum(column) / 30 for column in zip(*rows, strict=True)], 0.5)

    assert found["value"] == crossed(recovered)
    resampled = sorted(crossed(recovered[draw.randint(30, size=30)]) for _ in range(1000))
    assert found["ci_low"] == pytest.approx(resampled[25], rel=0.15)
    assert found["ci_high"] == pytest.approx(resampled[974], rel=0.15)
    assert found["ci_low"] <= found["value"] <= found["ci_high"]
    assert threshold(sizes, recovered, 0.5, **MANY) == found


def test_differences_are_taken_within_pairs():
    base = np.random.default_rng(6).normal(size=20)
    assert paired_difference(base + 0.25, base, **MANY)[0] == pytest.approx(0.25)
    value, low, high = paired_difference(base + 0.25, base, **MANY)
    assert high - low < 1e-9  # what words differ by cancels
    assert paired_difference([1, 0, 1, 1], [0, 0, 1, 0], **MANY)[0] == 0.5
    forth = paired_difference(base**2, base, **MANY)
    back = paired_difference(base, base**2, **MANY)
    assert forth == pytest.approx((-back[0], -back[2], -back[1]), abs=1e-12)
