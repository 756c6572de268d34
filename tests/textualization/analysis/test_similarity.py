"""Nearest words, ranks and margins beside brute force in float64; the rest beside closed forms."""

import math
import statistics
import tracemalloc
from functools import partial

import numpy as np
import pytest

from textualization.analysis.similarity import (
    METRICS,
    collapsed,
    converged,
    leading_subspace,
    nearest_words,
    outlier_dimensions,
    share_in_subspace,
    target_similarity,
    unit,
    utilisation,
    view,
)

V, H = 40, 6


def cosine(a, b):
    dot = math.fsum(float(x) * float(y) for x, y in zip(a, b, strict=True))
    return dot / math.sqrt(
        math.fsum(float(x) ** 2 for x in a) * math.fsum(float(y) ** 2 for y in b)
    )


def example(n=7, seed=0):
    draw = np.random.default_rng(seed)
    embeddings = draw.normal(size=(V, H)) * draw.uniform(0.01, 50, size=(V, 1))
    candidates = draw.random(V) < 0.7
    return draw.normal(size=(n, H)) * 1000, embeddings.astype(np.float32), candidates


@pytest.mark.parametrize("chunk", [1, 3, 7, 512])
def test_the_nearest_word_is_the_one_a_loop_over_the_candidates_finds(chunk):
    optima, embeddings, candidates = example()
    ids, cosines = nearest_words(optima, embeddings, candidates, chunk)
    for optimum, word, found in zip(optima, ids, cosines, strict=True):
        every = {i: cosine(optimum, embeddings[i]) for i in range(V) if candidates[i]}
        assert word == max(every, key=every.get)
        assert found == pytest.approx(every[word], abs=1e-6)


def test_of_many_optima_a_chunk_of_cosines_is_held_at_a_time():
    draw = np.random.default_rng(1)
    optima, words = draw.normal(size=(3000, 4)), draw.normal(size=(2000, 4)).astype(np.float32)
    all_cosines = 4 * len(optima) * len(words)
    for of in (nearest_words, partial(target_similarity, targets=np.zeros(len(optima), int))):
        tracemalloc.start()
        of(optima, embeddings=words, candidates=np.ones(len(words), bool), chunk=100)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < all_cosines / 4


def test_a_word_that_is_no_candidate_is_never_nearest():
    _, embeddings, candidates = example()
    barred = np.flatnonzero(~candidates)
    ids, cosines = nearest_words(embeddings[barred], embeddings, candidates)
    assert candidates[ids].all()
    assert (cosines < 0.999).all()


@pytest.mark.filterwarnings("error")
def test_a_word_without_length_is_never_nearest_and_spoils_nothing():
    optima, embeddings, candidates = example()
    expected = nearest_words(optima, embeddings, candidates)
    embeddings = np.concatenate([np.zeros((1, H), dtype=np.float32), embeddings])
    ids, cosines = nearest_words(optima, embeddings, np.r_[True, candidates])
    assert np.array_equal(ids, expected[0] + 1)
    assert cosines == pytest.approx(expected[1], abs=1e-6)


def test_unit_vectors_have_length_one_and_keep_their_direction():
    vectors = np.random.default_rng(1).normal(size=(5, H)) * np.logspace(-30, 30, 5)[:, None]
    found = unit(vectors)
    assert found.dtype == np.float32
    for row, vector in zip(found, vectors, strict=True):
        assert cosine(row, vector) == pytest.approx(1, abs=1e-6)
        assert math.fsum(float(x) ** 2 for x in row) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("chunk", [2, 512])
def test_a_targets_place_is_what_brute_force_over_the_vocabulary_finds(chunk):
    optima, embeddings, candidates = example(n=12)
    words = np.flatnonzero(candidates)
    targets = np.random.default_rng(2).choice(words, 12)
    targets[:3] = nearest_words(optima[:3], embeddings, candidates)[0]  # three are the nearest
    table = target_similarity(optima, targets, embeddings, candidates, shown=4, chunk=chunk)
    for row, optimum, target in zip(table.itertuples(), optima, targets, strict=True):
        every = {int(i): cosine(optimum, embeddings[i]) for i in words}
        order = sorted(every, key=every.get, reverse=True)
        others = [c for i, c in every.items() if i != target]
        assert row.nearest_word == order[0]
        assert row.nearest_cosine == pytest.approx(every[order[0]], abs=1e-6)
        assert row.target_cosine == pytest.approx(every[target], abs=1e-6)
        assert row.target_rank == 1 + order.index(target)
        assert row.margin == pytest.approx(every[target] - max(others), abs=1e-6)
        assert list(row.nearest_words) == order[:4]
    assert (table["target_rank"][:3] == 1).all()
    assert (table["margin"][:3] > 0).all()
    assert (table["target_rank"] > 1).any()


def test_a_tie_with_another_word_is_no_recovery():
    embeddings = np.array([[0, 1], [2, 0], [1, 0], [-1, 0]], dtype=np.float32)
    table = target_similarity([[5.0, 0.0]] * 2, [1, 2], embeddings, np.ones(4, dtype=bool))
    assert table["nearest_word"].tolist() == [2, 1]
    assert table["margin"].tolist() == [0.0, 0.0]
    assert table["target_rank"].tolist() == [2, 2]
    assert table["nearest_cosine"].tolist() == [1.0, 1.0]


def test_tied_nearest_words_give_the_first_of_the_vocabulary():
    embeddings = np.array([[0, 1], [2, 0], [1, 0], [4, 0]], dtype=np.float32)
    ids, _ = nearest_words([[1.0, 0.0]], embeddings, np.array([True, False, True, True]))
    assert ids.tolist() == [2]


def test_a_target_that_points_away_ranks_last():
    embeddings = np.array([[0, 1], [3, 1], [1, 0], [-1, 0]], dtype=np.float32)
    row = target_similarity([[2.0, 0.0]], [3], embeddings, np.ones(4, dtype=bool)).iloc[0]
    assert (row["nearest_word"], row["target_rank"]) == (2, 4)
    assert (row["target_cosine"], row["margin"]) == (-1.0, -2.0)


def test_no_more_words_are_listed_than_there_are_candidates():
    optima, embeddings, _ = example(n=1)
    few = np.isin(np.arange(V), [4, 9, 30])
    (listed,) = target_similarity(optima, [9], embeddings, few, shown=10)["nearest_words"]
    assert sorted(listed) == [4, 9, 30]


def test_leading_directions_are_the_covariances_eigenvectors():
    _, embeddings, _ = example(seed=3)
    mean, directions = leading_subspace(embeddings, 3)
    words = [[x / math.sqrt(math.fsum(float(y) ** 2 for y in e)) for x in e] for e in embeddings]
    assert mean == pytest.approx(np.mean(words, axis=0), abs=1e-6)
    values, vectors = np.linalg.eigh(np.cov(np.transpose(words)))
    assert directions.shape == (3, H)
    assert directions @ directions.T == pytest.approx(np.eye(3), abs=1e-5)
    for direction, expected in zip(directions, vectors.T[::-1], strict=False):
        assert abs(direction @ expected) == pytest.approx(1, abs=1e-4)
    # Over the words themselves the shares, weighted by distance, add up to the explained variance.
    centred = np.array(words) - mean
    shares = share_in_subspace(embeddings, mean, directions)
    explained = (shares * (centred**2).sum(axis=1)).sum() / (centred**2).sum()
    assert explained == pytest.approx(values[-3:].sum() / values.sum(), abs=1e-5)


def test_shares_are_one_inside_zero_across_and_half_between():
    mean = np.zeros(4)
    directions = np.eye(4)[:2]
    vectors = [[3, 4, 0, 0], [0, 0, 7, 1], [1, 0, 1, 0], [0, -2, 0, 2]]
    shares = share_in_subspace(vectors, mean, directions)
    assert shares == pytest.approx([1, 0, 0.5, 0.5], abs=1e-6)


def test_an_ascent_has_converged_if_it_rose_little_over_its_last_steps():
    steps = np.arange(101)
    flat = np.where(steps < 50, steps, 50.0)
    rising = 1.0 * steps
    rose_just_before = np.where(steps < 90, 0.0, 10.0)
    rose_just_after = np.where(steps < 91, 0.0, 10.0)
    curve = np.stack([flat, rising, rose_just_before, rose_just_after], axis=1)
    assert converged(steps, curve, 0.1, 0.005).tolist() == [True, False, True, False]


def test_convergence_is_judged_against_the_final_magnitude():
    steps = np.array([0, 5, 10])
    # It rises by 0.05 over the last half: 1 % of 5, 50 % of 0.1.
    curve = np.array([[0, -9, 0], [4.95, -5.05, 0.05], [5.0, -5.0, 0.1]])
    assert converged(steps, curve, 0.5, 0.011).tolist() == [True, True, False]
    assert converged(steps, curve, 0.5, 0.009).tolist() == [False, False, False]


def test_neither_a_fall_nor_a_lost_activation_is_rest():
    steps, curve = np.array([0, 5, 10]), np.array([[1, 1], [3, 1], [2, math.nan]])
    assert converged(steps, curve, 0.5, 0.005).tolist() == [False, False]


def test_between_recorded_steps_convergence_takes_the_earlier_one():
    # 90 was not recorded: the rise since 10 counts.
    curve = np.array([[0.0], [5.0], [10.0]])
    assert converged(np.array([0, 10, 100]), curve, 0.1, 0.1).tolist() == [False]


@pytest.mark.filterwarnings("error")
def test_utilisation_is_flagged_where_the_optimum_activates_nothing():
    found = utilisation([1.0, -1.0, 2.0, 3.0, 1.0, math.nan], [4.0, 2.0, 0.0, -6.0, math.nan, 2.0])
    assert found[:2].tolist() == [0.25, -0.5]
    assert np.isnan(found[2:]).all()


def test_utilisation_of_whole_numbers_is_no_whole_number():
    assert utilisation([1, 3], [2, 4]).tolist() == [0.5, 0.75]


def test_an_ascent_that_falls_at_its_end_has_collapsed_and_not_converged():
    steps = np.array([0, 50, 90, 100])
    curve = np.array([[0.0, 0.0, 0.0], [5.0, 9.0, -3.0], [10.0, 10.0, -1.0], [0.6, 9.9, -1.0]])
    assert collapsed(curve, 0.05).tolist() == [True, False, True]
    assert converged(steps, curve, last=0.1, tolerance=0.02).tolist() == [False, True, True]


def in_view(metric, vectors, words, leading):
    """What a metric sees, in float64 and with eigenvectors; see `view`."""
    vectors, words = (
        np.array([[x / math.sqrt(math.fsum(y * y for y in row)) for x in row] for row in a])
        for a in (np.asarray(vectors, dtype=float), np.asarray(words, dtype=float))
    )
    if metric == "cosine":
        return vectors
    if metric == "without_outliers":
        return vectors[:, ~np.array(outliers(words, 3))]
    vectors = vectors - words.mean(axis=0)
    if metric == "without_leading" and leading:
        top = np.linalg.eigh(np.cov(words.T))[1][:, -leading:]
        vectors = vectors - sum(np.outer(vectors @ a, a) for a in top.T)
    return vectors


def outliers(words, deviations):
    """The criterion of Kovaleva et al. (2021), dimension by dimension."""
    found = [False] * words.shape[1]
    for fact in (statistics.fmean, statistics.pstdev):
        values = [fact(column) for column in words.T.tolist()]
        average, spread = statistics.fmean(values), statistics.pstdev(values)
        for place, value in enumerate(values):
            found[place] |= abs(value - average) > deviations * spread
    return found


def with_outliers(n=120, width=24):
    """Words of which two dimensions are unlike the others: one in its mean, one in its spread."""
    draw = np.random.default_rng(4)
    words = draw.normal(size=(n, width))
    words[:, 5] += 3
    words[:, 9] *= 4
    return (words * draw.uniform(0.1, 9, size=(n, 1))).astype(np.float32)


@pytest.mark.parametrize("leading", [0, 1, 3])
@pytest.mark.parametrize("metric", METRICS)
def test_cosines_in_a_view_are_those_of_its_definition(metric, leading):
    words = with_outliers()
    vectors = np.random.default_rng(5).normal(size=(8, 24)) * 30
    seen, expected = view(metric, words, leading), in_view(metric, vectors, words, leading)
    every = in_view(metric, words, words, leading)
    for found, vector in zip(seen(vectors), expected, strict=True):
        for word, theirs in zip(seen(words)[:15], every, strict=False):
            assert cosine(found, word) == pytest.approx(cosine(vector, theirs), abs=2e-5)


def test_the_metrics_see_differently_and_the_first_is_the_papers():
    words = with_outliers()
    vectors = np.random.default_rng(6).normal(size=(9, 24))
    tables = [view(metric, words, 2) for metric in METRICS]
    tables = [unit(seen(vectors)) @ unit(seen(words)).T for seen in tables]
    assert METRICS[0] == "cosine"
    for row, vector in zip(tables[0], vectors, strict=True):
        assert row == pytest.approx([cosine(vector, word) for word in words], abs=1e-6)
    for place, table in enumerate(tables):
        assert all(np.abs(table - other).max() > 0.05 for other in tables[:place])


@pytest.mark.parametrize("metric", METRICS)
def test_a_view_takes_no_notice_of_length(metric):
    words = with_outliers()
    vectors = np.random.default_rng(7).normal(size=(6, 24))
    seen = view(metric, words, 2)
    lengths = np.logspace(-3, 3, 6)[:, None]
    np.testing.assert_allclose(seen(vectors * lengths), seen(vectors), atol=1e-6)
    longer = view(metric, words * np.linspace(1, 1000, len(words))[:, None], 2)
    np.testing.assert_allclose(longer(vectors), seen(vectors), atol=1e-5)


def test_what_lies_along_the_leading_directions_is_not_seen():
    words = with_outliers()
    mean, directions = leading_subspace(words, 2)
    seen = view("without_leading", words, 2)(words)
    assert np.abs(seen @ directions.T).max() < 1e-6
    # Of all directions these held most: no other two would leave less.
    left = np.linalg.svd(in_view("centred", words, words, 0), compute_uv=False)[2:]
    assert (seen.astype(float) ** 2).sum() == pytest.approx((left**2).sum(), rel=1e-5)


@pytest.mark.parametrize("deviations", [0.5, 1.5, 3.0])
def test_outlier_dimensions_are_those_of_the_criterion(deviations):
    words = with_outliers()
    found = outlier_dimensions(words, deviations)
    assert found.dtype == bool
    assert found.tolist() == outliers(in_view("cosine", words, words, 0), deviations)


def test_a_planted_outlier_is_found_and_not_seen():
    words = with_outliers()
    assert np.flatnonzero(outlier_dimensions(words)).tolist() == [5, 9]
    lower = words.copy()
    lower[:, 5] *= -1  # as far below the others
    assert np.flatnonzero(outlier_dimensions(lower)).tolist() == [5, 9]
    vectors = np.random.default_rng(8).normal(size=(4, 24))
    seen = view("without_outliers", words, 2)(vectors)
    assert seen.shape == (4, 22)
    for found, vector in zip(seen, vectors, strict=True):
        assert cosine(found, np.delete(vector, [5, 9])) == pytest.approx(1, abs=1e-6)


def test_dimensions_that_are_all_alike_hold_no_outlier():
    assert not outlier_dimensions(np.eye(6)).any()


def test_an_unknown_metric_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match=f"'euclidean' .*allowed: {', '.join(METRICS)}"):
        view("euclidean", with_outliers(), 2)


def test_ranks_do_not_depend_on_how_a_machine_adds_in_float32():
    dice = np.random.default_rng(3)
    words, targets = dice.standard_normal((20_000, 96)), np.arange(40)
    optima = words[targets] + 4 * dice.standard_normal((40, 96))
    found = target_similarity(optima, targets, words, np.ones(len(words), dtype=bool))
    exact = [unit(words).astype(float) * one for one in unit(optima).astype(float)]
    cosine = np.array([products.sum(axis=1) for products in exact]).astype(np.float32)
    own = cosine[targets, targets]
    assert found["target_cosine"].to_numpy().tolist() == own.tolist()
    assert found["target_rank"].tolist() == (cosine >= own[:, None]).sum(axis=1).tolist()
