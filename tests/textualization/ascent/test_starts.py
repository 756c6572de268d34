"""Starting points depend on the seed and the objective's name, and on nothing else."""

import numpy as np
import pytest

from textualization.ascent.starts import (
    deviation,
    draw_starts,
    largest_entries,
    neighbouring,
    optimum_vector,
)
from textualization.draws import drawn_neurons, generator, runs

NAMES = [("output", 1, 5, 0), ("output", 1, 5, 1), ("output", 2, 5, 0), ("apple", "z_score")]


def test_draws_are_the_same_on_every_machine():
    raw = generator(2023, "output", 1, 5).bit_generator.random_raw(2)
    assert raw.tolist() == [9415633908750939959, 11258271161402802374]


def test_a_start_does_not_depend_on_its_batch():
    together = draw_starts(7, NAMES, 50, "normal", 1.0)
    for place, name in enumerate(NAMES):
        assert np.array_equal(draw_starts(7, [name], 50, "normal", 1.0)[0], together[place])
    backwards = draw_starts(7, NAMES[::-1], 50, "normal", 1.0)
    assert np.array_equal(backwards[::-1], together)


def test_restarts_layers_and_seeds_start_apart_and_equal_names_alike():
    starts = draw_starts(7, [*NAMES, NAMES[0]], 50, "normal", 1.0)
    assert np.array_equal(starts[0], starts[4])
    others = draw_starts(8, NAMES, 50, "normal", 1.0)
    rows = np.concatenate([starts[:4], others])
    assert len(np.unique(rows.round(12), axis=0)) == 8
    # Nor is one a shifted or scaled other.
    assert np.abs(np.corrcoef(rows) - np.eye(8)).max() < 0.6


def test_seed_and_name_do_not_run_into_one_another():
    draws = [generator(*key).random() for key in [(1, 23), (12, 3), (123,), (1, 2, 3), ("1", "23")]]
    assert len(set(draws)) == 4  # the text "1" and the number 1 are one name
    assert draws[0] == draws[4]


@pytest.mark.parametrize("number", [np.int16(5), np.int64(5), "5"])
def test_a_name_is_its_text_whatever_holds_the_number(number):
    assert generator(1, number).random() == generator(1, 5).random()


@pytest.mark.parametrize("kind", ["normal", "uniform"])
@pytest.mark.parametrize("scale", [1.0, 0.02])
def test_entries_have_mean_zero_and_the_deviation_asked_for(kind, scale):
    x = draw_starts(3, [("a",), ("b",)], 20000, kind, scale) / scale
    assert x.shape == (2, 20000)
    assert x.dtype == np.float64
    n = x.size
    assert abs(x.mean()) < 5 / np.sqrt(n)
    assert abs(x.std() - 1) < 5 / np.sqrt(2 * n)
    # Fourth moment: 3 for the normal, 9/5 for the uniform distribution.
    assert (x**4).mean() == pytest.approx({"normal": 3.0, "uniform": 1.8}[kind], rel=0.05)


def test_uniform_entries_fill_their_interval_and_stay_in_it():
    x = draw_starts(3, [("a",)], 20000, "uniform", 2.0)
    edge = 2 * 3**0.5
    assert -edge <= x.min() < -0.999 * edge
    assert 0.999 * edge < x.max() <= edge


def test_drawn_neurons_are_different_neurons_of_the_layer_in_order():
    for count in (1, 5, 16):
        found = drawn_neurons(1, "output", 2, 16, count).tolist()
        assert found == sorted(set(found))
        assert len(found) == count
        assert set(found) <= set(range(16))
    assert drawn_neurons(1, "output", 2, 5, "all").tolist() == [0, 1, 2, 3, 4]


def test_a_larger_draw_keeps_the_smaller_ones():
    draws = [set(drawn_neurons(1, "output", 2, 100, count)) for count in (5, 20, 60)]
    assert draws[0] < draws[1] < draws[2]


def test_layers_sites_and_seeds_draw_neurons_apart():
    cases = [(1, "output", 1), (1, "output", 2), (1, "intermediate", 1), (2, "output", 1)]
    assert len({tuple(drawn_neurons(*case, 100, 10)) for case in cases}) == 4


def test_every_neuron_is_drawn_equally_often():
    counts = np.zeros(6)
    for seed in range(600):
        counts[drawn_neurons(seed, "output", 1, 6, 2)] += 1
    # Binomial: 200 expected of each, deviation 11.5.
    assert np.abs(counts - 200).max() < 5 * np.sqrt(600 * (1 / 3) * (2 / 3))


@pytest.mark.parametrize("deficient", [False, True])
def test_the_vocabulary_vector_of_an_optimum_is_the_nearest_to_its_start(deficient):
    """Against least squares of numpy, also where words span less than their space."""
    draw = np.random.default_rng(4)
    words = draw.normal(size=(40, 6))
    if deficient:
        words[:, 5] = words[:, 0] - words[:, 1]
    x0 = draw.normal(size=(3, 40))
    start = x0 @ words
    embedding = (x0 + draw.normal(scale=5.0, size=(3, 40))) @ words
    x = optimum_vector(x0, start, embedding, words)
    assert x.dtype == np.float64
    np.testing.assert_allclose(x @ words, embedding, rtol=1e-9, atol=1e-9)
    for row in range(3):
        # Of all moves that lead from e0 to e, lstsq finds the shortest.
        shortest = np.linalg.lstsq(words.T, embedding[row] - start[row], rcond=1e-10)[0]
        np.testing.assert_allclose(x[row], x0[row] + shortest, rtol=1e-9, atol=1e-9)


def test_an_optimum_where_it_started_has_the_vector_it_started_with():
    draw = np.random.default_rng(4)
    x0, words = draw.normal(size=(2, 40)), draw.normal(size=(40, 6)).astype(np.float32)
    start = x0 @ words
    np.testing.assert_array_equal(optimum_vector(x0, start, start, words), x0)


def test_largest_entries_come_largest_first_and_ties_in_order():
    vectors = np.array([[0.0, 3.0, -9.0, 5.0], [1.0, 1.0, 2.0, 1.0]])
    assert largest_entries(vectors, 3).tolist() == [[3, 1, 0], [2, 0, 1]]
    assert largest_entries(vectors, 1).tolist() == [[3], [2]]


ITEMS = [f"word {place}" for place in range(20)]


def repeated_in(found, restarts):
    return {item for item, restart in found if restart == restarts - 1}


@pytest.mark.parametrize("restarts", [2, 5])
@pytest.mark.parametrize(
    ("repeated", "count"), [(0, 0), (1, 1), (6, 6), (20, 20), (99, 20), ("all", 20)]
)
def test_so_many_items_are_repeated_and_the_others_run_once(restarts, repeated, count):
    found = runs(7, iter(ITEMS), restarts, repeated, "output", 1)
    assert len(repeated_in(found, restarts)) == count
    expected = [
        (item, restart)
        for item in ITEMS
        for restart in range(restarts if item in repeated_in(found, restarts) else 1)
    ]
    assert found == expected  # in the items' order, restarts from 0


@pytest.mark.parametrize("repeated", [0, 3, "all"])
def test_without_restarts_everything_runs_once(repeated):
    assert runs(7, ITEMS, 1, repeated) == [(item, 0) for item in ITEMS]
    assert runs(7, [], 3, repeated) == []


def test_repeated_items_depend_on_the_seed_and_the_identity_and_come_again():
    cases = [(7, "output", 1), (7, "output", 2), (7, "intermediate", 1), (8, "output", 1), (7,)]
    found = [runs(seed, ITEMS, 3, 5, *identity) for seed, *identity in cases]
    assert len({frozenset(repeated_in(rows, 3)) for rows in found}) == len(cases)
    assert [runs(seed, ITEMS, 3, 5, *identity) for seed, *identity in cases] == found
    # More restarts are the same items' restarts.
    assert repeated_in(runs(7, ITEMS, 9, 5, "output", 1), 9) == repeated_in(found[0], 3)


def test_more_repeated_items_keep_the_fewer():
    draws = [repeated_in(runs(7, ITEMS, 2, count), 2) for count in (2, 7, 15)]
    assert draws[0] < draws[1] < draws[2]


def test_every_item_is_repeated_equally_often():
    counts = dict.fromkeys("abcdef", 0)
    for seed in range(600):
        for item in repeated_in(runs(seed, "abcdef", 2, 2), 2):
            counts[item] += 1
    # Binomial: 200 expected of each, deviation 11.5.
    assert max(abs(count - 200) for count in counts.values()) < 5 * 11.5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_twins_start_is_next_to_its_own_in_every_entry(dtype):
    names = [("single", "output", 1, i, 0) for i in range(4)]
    start = draw_starts(7, names, 500, "normal", 1.0).astype(dtype)
    start[0, :3] = 0, 1, -1
    moved = neighbouring(start, 7, names)
    up, down = np.nextafter(start, dtype(np.inf)), np.nextafter(start, dtype(-np.inf))
    assert moved.dtype == dtype and moved.shape == start.shape
    assert ((moved == up) | (moved == down)).all()
    assert 0.45 < (moved == up).mean() < 0.55


def test_a_twins_start_does_not_depend_on_its_batch_and_does_on_its_name_and_seed():
    names = [("single", "output", 1, i, 0) for i in range(4)]
    start = np.ones((4, 300))
    moved = neighbouring(start, 7, names)
    assert np.array_equal(neighbouring(start[2:3], 7, names[2:3])[0], moved[2])
    assert len({row.tobytes() for row in [*moved, *neighbouring(start, 8, names)]}) == 8


def test_a_start_can_be_as_long_as_a_word():
    words = np.random.default_rng(1).normal(0, 3, (400, 8)) + np.arange(8)
    scale = deviation("words", words)
    lengths = np.linalg.norm(
        draw_starts(7, [("a", n) for n in range(300)], 400, "normal", scale) @ words, axis=1
    )
    assert np.sqrt((lengths**2).mean()) == pytest.approx(
        np.linalg.norm(words, axis=1).mean(), rel=0.15
    )
    assert deviation(0.5, words) == 0.5
