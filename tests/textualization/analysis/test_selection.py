"""Scores and rankings of neurons beside arithmetic and Python's own sort."""

import math

import numpy as np
import pytest

from textualization.analysis.selection import SELECTIONS, scores, strongest

ACTIVATION = [3.0, -1.0, 0.5, 2.0, 0.0]
MAXIMUM = [4.0, 2.0, 0.0, -1.0, 8.0]
MEAN = [1.0, 1.0, 0.5, 2.0, -4.0]
DEVIATION = [0.5, 4.0, 0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("absolute", ACTIVATION),
        ("ratio_to_max", [0.75, -0.5, -math.inf, -math.inf, 0.0]),
        ("z_score", [4.0, -0.5, -math.inf, 0.0, 2.0]),
    ],
)
def test_scores_are_what_arithmetic_gives_and_the_meaningless_come_last(selection, expected):
    found = scores(selection, ACTIVATION, MAXIMUM, MEAN, DEVIATION)
    assert found.tolist() == expected


@pytest.mark.filterwarnings("error")
def test_a_zero_maximum_or_deviation_is_never_divided_by():
    for selection in SELECTIONS[1:]:
        assert np.isneginf(
            scores(selection, [1.0, -1.0, 0.0], [0.0] * 3, [0.0] * 3, [0.0] * 3)
        ).all()


def test_relative_scores_do_not_change_with_a_neurons_unit():
    draw = np.random.default_rng(0)
    words = draw.normal(size=(30, 6)) + 0.5
    unit = np.array([1e-3, 0.1, 1.0, 7.0, 100.0, 1e4])
    for selection in ("ratio_to_max", "z_score"):
        plain, scaled = (
            scores(selection, a[4], a.max(axis=0), a.mean(axis=0), a.std(axis=0))
            for a in (words, words * unit)
        )
        assert scaled == pytest.approx(plain)


def test_the_word_that_activates_a_neuron_most_has_ratio_one():
    a = np.abs(np.random.default_rng(1).normal(size=(10, 5)))
    ratios = [scores("ratio_to_max", row, a.max(axis=0), row, row) for row in a]
    assert np.max(ratios, axis=0).tolist() == [1.0] * 5


def test_an_unknown_selection_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'loudest'.*absolute, ratio_to_max, z_score"):
        scores("loudest", [1.0], [1.0], [1.0], [1.0])


def test_the_strongest_come_in_order_and_ties_by_index():
    score = np.array([1.0, 3.0, -2.0, 3.0, 0.0, 3.0, 1.0, -0.0])
    expected = sorted(range(8), key=lambda i: (-score[i], i))
    for count in range(9):
        assert strongest(score, count).tolist() == expected[:count]


def test_many_tied_neurons_stay_in_order():
    score = np.random.default_rng(2).integers(0, 4, size=300).astype(float)
    expected = sorted(range(300), key=lambda i: (-score[i], i))
    assert strongest(score, 300).tolist() == expected


def test_what_is_not_finite_is_never_chosen():
    score = np.array([math.nan, -math.inf, 1.0, math.inf, 2.0, math.nan])
    assert strongest(score, 2).tolist() == [4, 2]


@pytest.mark.parametrize("score", [[math.nan, 1.0, -math.inf], [math.inf, 1.0], [1.0]])
def test_more_neurons_than_can_be_ranked_are_refused(score):
    with pytest.raises(ValueError, match="2 neurons.*only 1 can"):
        strongest(np.array(score), 2)


def test_no_neuron_can_be_asked_of_none():
    assert strongest(np.array([]), 0).tolist() == []
    with pytest.raises(ValueError, match="only 0"):
        strongest(np.array([]), 1)
