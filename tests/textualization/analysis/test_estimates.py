"""Intervals beside textbook numbers, closed forms, plain resampling and simulated populations."""

import math
import statistics

import numpy as np
import pytest
from scipy.stats import binom, permutation_test

from textualization.analysis.estimates import (
    Intervals,
    centre,
    clustered,
    excess,
    holm,
    paired_difference,
    rate,
    rate_difference,
    tail,
)

MANY = Intervals(confidence=0.95, resamples=2000, seed=1)


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


@pytest.mark.parametrize("n", [10, 30, 100])
def test_a_rates_interval_covers_about_as_often_as_it_says(n):
    intervals = [rate(np.arange(n) < k, 0.95)[1:] for k in range(n + 1)]
    chances = np.linspace(0.02, 0.98, 97)
    covered = np.array(
        [
            math.fsum(binom.pmf(k, n, p) for k, (a, b) in enumerate(intervals) if a <= p <= b)
            for p in chances
        ]
    )
    # Agresti and Coull (1998), The American Statistician 52: near 0.95 on average, seldom below 0.9.
    assert covered.mean() == pytest.approx(0.95, abs=0.01)
    assert covered.min() > 0.83
    assert (covered > 0.92).mean() > 0.85


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
        assert centre(values, statistic, MANY) == pytest.approx(expected, nan_ok=True)


def test_nans_are_left_out():
    values = np.random.default_rng(0).normal(size=30)
    with_gaps = np.insert(values, [3, 17], math.nan)
    assert centre(with_gaps, np.mean, MANY) == centre(values, np.mean, MANY)


def test_a_means_interval_is_the_normal_approximations_where_that_holds():
    values = np.random.default_rng(1).normal(3, 2, size=400)
    value, low, high = centre(values, np.mean, MANY)
    half = 1.96 * values.std() / 20
    assert value == pytest.approx(math.fsum(values) / 400)
    assert (low, high) == pytest.approx((value - half, value + half), abs=0.15 * half)


def test_a_medians_interval_is_that_of_plain_resampling():
    values = np.random.default_rng(2).exponential(size=41)
    value, low, high = centre(values, np.median, MANY)
    assert value == sorted(values)[20]
    draw = np.random.RandomState(0)
    medians = sorted(sorted(draw.choice(values, 41))[20] for _ in range(2000))
    first = round(2000 * tail(41, 0.95))
    assert low == pytest.approx(medians[first], abs=0.06)
    assert high == pytest.approx(medians[1999 - first], abs=0.12)


def test_more_confidence_means_a_wider_interval_and_the_seed_decides_the_draws():
    values = np.random.default_rng(3).normal(size=25)
    wide, narrow = (centre(values, np.mean, Intervals(c, 1000, 1)) for c in (0.99, 0.5))
    assert wide[1] < narrow[1] < narrow[0] < narrow[2] < wide[2]
    assert centre(values, np.mean, Intervals(0.99, 1000, 1)) == wide
    assert centre(values, np.mean, Intervals(0.99, 1000, 2)) != wide


# qt(c(0.025, 0.05), n - 1) of tables, and Φ.
@pytest.mark.parametrize(
    ("clusters", "confidence", "student"),
    [(5, 0.95, 2.7764), (6, 0.95, 2.5706), (11, 0.9, 1.8125), (31, 0.95, 2.0423)],
)
def test_few_clusters_widen_the_percentiles_to_students(clusters, confidence, student):
    deviations = math.sqrt(clusters / (clusters - 1)) * student
    expected = statistics.NormalDist().cdf(-deviations)
    assert tail(clusters, confidence) == pytest.approx(expected, rel=1e-3)
    assert tail(100_000, confidence) == pytest.approx((1 - confidence) / 2, rel=1e-3)


def test_the_mean_of_few_values_has_students_interval():
    values = np.random.default_rng(11).normal(size=20)
    value, low, high = centre(values, np.mean, Intervals(0.95, 20_000, 1))
    half = 2.0930 * values.std(ddof=1) / math.sqrt(20)
    assert (high - low) / 2 == pytest.approx(half, rel=0.05)
    assert value == pytest.approx(values.mean())


def _unequal_clusters(seed):
    draw = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(12), draw.integers(1, 9, size=12))
    return draw.normal(size=12)[clusters] + draw.exponential(size=len(clusters)), clusters


def _assert_bounds(low, high, redrawn, level):
    """That bounds are those of ascending redrawn statistics, as far as chance lets one tell.

    A median's distribution is uneven: what must be near is the rank, not only the value.
    """
    n, near = len(redrawn), 0.1 * statistics.stdev(redrawn)
    off = 5 * math.sqrt(2 * level * n)
    ranks = round(max(level * n - off, 0)), round(level * n + off)
    assert redrawn[ranks[0]] - near <= low <= redrawn[ranks[1]] + near
    assert redrawn[n - 1 - ranks[1]] - near <= high <= redrawn[n - 1 - ranks[0]] + near


@pytest.mark.parametrize(
    ("statistic", "plain"), [(np.mean, statistics.fmean), (np.median, statistics.median)]
)
@pytest.mark.parametrize("seed", range(3))
def test_whole_clusters_are_redrawn_as_plain_loops_would(statistic, plain, seed):
    values, clusters = _unequal_clusters(seed)
    members = [values[clusters == name].tolist() for name in range(12)]
    draw = np.random.RandomState(seed)
    redrawn = sorted(
        plain([v for name in draw.randint(12, size=12) for v in members[name]]) for _ in range(4000)
    )
    value, low, high = clustered(values, clusters, statistic, Intervals(0.9, 4000, 1))
    assert value == pytest.approx(plain(values.tolist()))
    _assert_bounds(low, high, redrawn, tail(12, 0.9))


def test_clusters_are_told_apart_by_their_labels_in_any_order():
    values, clusters = _unequal_clusters(4)
    found = clustered(values, clusters, np.median, MANY)
    shuffled = np.random.default_rng(5).permutation(len(values))
    names = np.array([f"word {name:02}" for name in clusters], dtype=object)
    assert clustered(values[shuffled], names[shuffled], np.median, MANY) == found
    gaps = clustered(np.append(values, [math.nan] * 2), [*clusters, 0, 77], np.median, MANY)
    assert gaps == found


def test_values_that_agree_within_clusters_count_once():
    values = np.random.default_rng(6).normal(size=9)
    tripled = clustered(np.repeat(values, 3), np.repeat(np.arange(9), 3), np.mean, MANY)
    assert tripled == pytest.approx(centre(values, np.mean, MANY))


def test_a_single_cluster_has_no_interval():
    assert clustered([1.0, 2.0, 3.0], ["a"] * 3, np.mean, MANY) == pytest.approx(
        (2, math.nan, math.nan), nan_ok=True
    )


def test_cluster_intervals_cover_where_intervals_over_values_do_not():
    clusters = np.repeat(np.arange(6), 5)
    by_cluster, by_value = [], []
    for seed in range(400):
        draw = np.random.default_rng([10, seed])
        values = 1 + draw.normal(size=6)[clusters] + 0.5 * draw.normal(size=30)
        for found, intervals in (
            (clustered(values, clusters, np.mean, Intervals(0.95, 1000, seed)), by_cluster),
            (centre(values, np.mean, Intervals(0.95, 200, seed)), by_value),
        ):
            intervals.append(found[1] <= 1 <= found[2])
    assert 0.90 <= np.mean(by_cluster) <= 0.99
    assert np.mean(by_value) < 0.75


SAMPLES = ("model", "model_clusters", "null", "null_clusters", "null_draws")


def _exceed(samples, statistic=np.mean, resamples=2000):
    intervals = Intervals(0.95, resamples, seed=1)
    return excess(*(samples[name] for name in SAMPLES), statistic, intervals)


def _words_and_draws(seed, words=8, draws=4, shift=0.5):
    """Two model values per word, a null value per word and draw, some missing."""
    draw = np.random.default_rng(seed)
    word = draw.normal(size=words)
    model_clusters = np.repeat(np.arange(words), 2)
    null_clusters, null_draws = (a.ravel() for a in np.indices((words, draws)))
    null = word[null_clusters] + draw.normal(size=draws)[null_draws]
    null += 0.5 * draw.normal(size=len(null))
    kept = draw.uniform(size=len(null)) > 0.1
    return {
        "model": word[model_clusters] + shift + 0.5 * draw.normal(size=2 * words),
        "model_clusters": model_clusters,
        "null": null[kept],
        "null_clusters": null_clusters[kept],
        "null_draws": null_draws[kept],
    }


@pytest.mark.parametrize(
    ("statistic", "plain"), [(np.mean, statistics.fmean), (np.median, statistics.median)]
)
def test_an_excess_is_that_of_plain_loops(statistic, plain):
    samples = _words_and_draws(1)
    found = _exceed(samples, statistic, resamples=4000)
    model, null = (
        list(zip(*(samples[name].tolist() for name in names), strict=True))
        for names in (SAMPLES[:2], SAMPLES[2:])
    )
    assert found.value == pytest.approx(plain([v for v, _ in model]) - plain([v for v, *_ in null]))

    draw = np.random.RandomState(2)
    redrawn = []
    for _ in range(4000):
        words, draws = draw.randint(8, size=8).tolist(), draw.randint(4, size=4).tolist()
        of_model = [v for v, w in model for _ in range(words.count(w))]
        of_null = [v for v, w, d in null for _ in range(words.count(w) * draws.count(d))]
        redrawn.append(plain(of_model) - plain(of_null))
    redrawn.sort()
    _assert_bounds(found.low, found.high, redrawn, tail(8, 0.95))

    beyond = 0
    for _ in range(4000):
        as_model, as_null = [], []
        for word in range(8):
            of_word = [v for v, w in model if w == word] + [v for v, w, _ in null if w == word]
            of_word = draw.permutation(of_word).tolist()
            as_model += of_word[:2]
            as_null += of_word[2:]
        beyond += abs(plain(as_model) - plain(as_null)) >= abs(found.value) - 1e-12
    assert 0.005 < found.p < 0.6
    assert found.p == pytest.approx(
        beyond / 4000, abs=5 * math.sqrt(2 * found.p * (1 - found.p) / 4000)
    )

    deltas = [
        statistics.fmean(
            (a > b) - (a < b) for a, v in model if v == word for b, w, _ in null if w == word
        )
        for word in range(8)
    ]
    assert found.dominance == pytest.approx(statistics.fmean(deltas))


def test_one_value_each_per_cluster_is_the_paired_sign_flip_test():
    draw = np.random.default_rng(8)
    null = 3 * draw.normal(size=10)
    model = null + draw.normal(0.6, 1, size=10)
    words = np.arange(10)
    samples = dict(zip(SAMPLES, (model, words, null, words[::1], None), strict=True))
    found = _exceed(samples, resamples=9999)
    exact = permutation_test(
        (model, null), lambda a, b: a.mean() - b.mean(), permutation_type="samples", n_resamples=1e5
    ).pvalue
    assert 0.005 < exact < 0.5
    assert found.p == pytest.approx(exact, abs=5 * math.sqrt(exact / 9999))
    # Words go together: the interval is that of the differences.
    paired = centre(model - null, np.mean, Intervals(0.95, 9999, 1))
    assert found[:3] == pytest.approx(paired, abs=1e-9)


def test_only_clusters_of_both_samples_count():
    samples = _words_and_draws(2)
    found = _exceed(samples)
    more = dict(samples)
    more["model"] = np.append(samples["model"], [50.0, math.nan, 60.0])
    more["model_clusters"] = np.append(samples["model_clusters"], [88, 3, 99])
    more["null"] = np.append(samples["null"], [-50.0, math.inf, math.nan])
    more["null_clusters"] = np.append(samples["null_clusters"], [77, 2, 99])
    more["null_draws"] = np.append(samples["null_draws"], [1, 9, 1])
    assert _exceed(more) == found


def test_an_excess_depends_on_no_order_and_turns_with_its_values():
    samples = _words_and_draws(3)
    found = _exceed(samples)
    shuffled = np.random.default_rng(0).permutation(len(samples["null"]))
    mixed = samples | {name: samples[name][shuffled] for name in SAMPLES[2:]}
    assert _exceed(mixed) == pytest.approx(found)
    turned = _exceed(samples | {name: -samples[name] for name in ("model", "null")})
    assert turned.value == pytest.approx(-found.value)
    assert turned.dominance == pytest.approx(-found.dominance)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
    assert turned.p == pytest.approx(found.p, abs=0.05)


@pytest.mark.filterwarnings("error")
def test_excesses_at_the_edges():
    nothing = dict(zip(SAMPLES, ([1.0], ["a"], [2.0], ["b"], [0]), strict=True))
    assert np.isnan(_exceed(nothing)).all()
    assert np.isnan(_exceed(nothing | {"null": [math.nan], "null_clusters": ["a"]})).all()
    one = dict(zip(SAMPLES, ([3.0, 5.0], ["a"] * 2, [1.0, 3.0], ["a"] * 2, [0, 1]), strict=True))
    found = _exceed(one)
    assert (found.value, found.dominance) == (2, 0.75)
    assert np.isnan([found.low, found.high]).all()
    assert found.p == pytest.approx(2 / 3, abs=0.06)  # either 3 with the 5 or with the 1
    words = np.arange(4)
    same = dict(zip(SAMPLES, (words / 3, words, words / 3, words, words % 2), strict=True))
    assert _exceed(same | {"null_draws": None}) == (0, 0, 0, 1, 0)
    # Half the resamples draw one of the two draws only, and some of those no word that has it.
    assert np.isfinite(_exceed(same)).all()
    assert _exceed(one | {"null": [1.0, 2.0]}).dominance == 1


def test_the_least_p_value_is_one_among_the_permutations():
    words = np.arange(30)
    apart = dict(zip(SAMPLES, (words + 100.0, words, words * 1.0, words, None), strict=True))
    for resamples in (99, 700):
        assert _exceed(apart, resamples=resamples).p == 1 / (1 + resamples)
        assert _exceed(apart, np.median, resamples=resamples).p == 1 / (1 + resamples)
    how = {"statistic": np.mean, "intervals": Intervals(0.95, resamples=50, seed=1)}
    more = excess(*apart.values(), **how, permutations=999)
    assert more.p == 1 / 1000
    assert more[:3] == excess(*apart.values(), **how)[:3]


def test_paired_intervals_cover_and_p_values_are_uniform_without_an_effect():
    covered, p = [], []
    words = np.arange(15)
    for seed in range(400):
        draw = np.random.default_rng([11, seed])
        word = 2 * draw.normal(size=15)  # far more than what is within words
        model, null = (word + 0.7 * draw.normal(size=15) for _ in range(2))
        found = excess(model + 0.5, words, null, words, None, np.mean, Intervals(0.95, 400, seed))
        covered.append(found.low <= 0.5 <= found.high)
        p.append(excess(model, words, null, words, None, np.mean, Intervals(0.95, 199, seed)).p)
    assert 0.90 <= np.mean(covered) <= 0.99
    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.08
    assert np.quantile(p, [0.25, 0.5, 0.75]) == pytest.approx([0.25, 0.5, 0.75], abs=0.08)


def test_where_draws_differ_intervals_must_redraw_them():
    words, draws = (a.ravel() for a in np.indices((15, 5)))
    with_draws, without = [], []
    for seed in range(200):
        draw = np.random.default_rng([12, seed])
        word = draw.normal(size=15)
        null = (word[:, None] + draw.normal(size=5) + 0.3 * draw.normal(size=(15, 5))).ravel()
        model = word + 0.5 + 0.3 * draw.normal(size=15)
        for redrawn, covered in ((draws, with_draws), (None, without)):
            found = excess(
                model, words[::5], null, words, redrawn, np.mean, Intervals(0.95, 300, seed)
            )
            covered.append(found.low <= 0.5 <= found.high)
    # Five draws are few, and percentiles are widened for the words only.
    assert 0.8 <= np.mean(with_draws) <= 0.99
    assert np.mean(without) < 0.5


def test_holms_correction():
    # Holm (1979): the k-th smallest of m times m − k + 1, and never less than one before it.
    p = [0.04, math.nan, 0.01, 0.03, 0.005]
    assert holm(p) == pytest.approx([0.06, math.nan, 0.03, 0.06, 0.02], nan_ok=True)
    assert holm([0.6, 0.9]) == pytest.approx([1, 1])
    assert np.isnan(holm([math.nan] * 2)).all()
    assert holm([]).shape == (0,)


def test_differences_are_taken_within_pairs():
    base = np.random.default_rng(6).normal(size=20)
    assert paired_difference(base + 0.25, base, MANY)[0] == pytest.approx(0.25)
    value, low, high = paired_difference(base + 0.25, base, MANY)
    assert high - low < 1e-9  # what words differ by cancels
    assert paired_difference([1, 0, 1, 1], [0, 0, 1, 0], MANY)[0] == 0.5
    forth = paired_difference(base**2, base, MANY)
    back = paired_difference(base, base**2, MANY)
    assert forth == pytest.approx((-back[0], -back[2], -back[1]), abs=1e-12)


def test_a_difference_of_rates_has_newcombes_interval():
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10: 9/10 less 3/10.
    assert rate_difference(0.9, 0.3, 10, 0.95) == pytest.approx((0.1705, 0.8090), abs=5.1e-5)
    assert rate_difference(0, 0, 10, 0.95) == pytest.approx((-0.2775, 0.2775), abs=5.1e-5)


def test_no_trial_gives_no_difference_of_rates():
    assert np.isnan(rate_difference(math.nan, math.nan, 0, 0.95)).all()
