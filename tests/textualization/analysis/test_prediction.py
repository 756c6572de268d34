"""Recovery predicted before the ascent: against random models in which the rule must hold."""

import numpy as np
import pytest

from textualization.analysis.prediction import agreement, chances, linear_cosine, top_mean
from textualization.analysis.similarity import unit


@pytest.mark.parametrize(("size", "neurons"), [(10, 400), (100, 400), (400, 400)])
def test_the_mean_of_the_largest_normal_values_is_that_of_draws(size, neurons):
    drawn = np.sort(np.random.default_rng(0).standard_normal((2000, neurons)), axis=1)
    assert top_mean(size, neurons) == pytest.approx(drawn[:, -size:].mean(), abs=0.02)


def linear_optima(size, neurons, hidden, words, seed):
    """Optima of the groups of some words in a random linear model: the means of their read-outs."""
    draw = np.random.default_rng(seed)
    read = draw.standard_normal((neurons, hidden))
    e = unit(draw.standard_normal((words, hidden)))
    groups = [np.argsort(read @ word)[-size:] for word in e]
    return e, unit(np.array([read[group].mean(axis=0) for group in groups]))


@pytest.mark.parametrize("size", [3, 10, 60])
def test_the_closed_form_holds_in_a_random_linear_model(size):
    neurons, hidden = 600, 100
    e, optima = linear_optima(size, neurons, hidden, 400, seed=size)
    cosines = (e * optima).sum(axis=1)
    assert cosines.mean() == pytest.approx(linear_cosine(size, neurons, hidden), abs=0.02)


@pytest.mark.parametrize("size", [1, 2, 4])
def test_words_are_recovered_from_a_random_linear_model_as_often_as_the_closed_form_says(size):
    neurons, hidden, words = 60, 100, 400
    e, optima = linear_optima(size, neurons, hidden, words, seed=size)
    recovered = ((optima @ e.T).argmax(axis=1) == np.arange(words)).mean()
    share = np.full((1, words), linear_cosine(size, neurons, hidden))
    said = chances(e, share, np.arange(words), e, 100, np.random.default_rng(1)).mean()
    assert 0.02 < recovered < 0.95
    assert said == pytest.approx(recovered, abs=0.08)


def test_gradients_of_a_linear_function_agree():
    direction = np.random.default_rng(0).standard_normal((2, 5))
    gradients = np.stack([3 * direction, 3 * direction])
    assert agreement(direction, gradients) == pytest.approx([1, 1])
    assert agreement(-direction, gradients) == pytest.approx([-1, -1])
    assert agreement(direction, 0 * gradients) == pytest.approx([0, 0])


@pytest.mark.parametrize("curved", [0.3, 1.0, 3.0])
def test_gradients_agree_with_the_linear_part_as_the_maximum_of_a_random_function_does(curved):
    # h·x + xᵀAx on the unit sphere, both random: its maximum, and its gradients at random points.
    hidden, draw = 300, np.random.default_rng(0)
    h = draw.standard_normal(hidden)
    a = draw.standard_normal((hidden, hidden)) * curved
    a = (a + a.T) / 2
    x = unit(h[None])[0]
    for _ in range(1000):
        x = unit((h + 2 * a @ x + 4 * curved * np.sqrt(hidden) * x)[None])[0].astype(float)
    points = unit(draw.standard_normal((400, hidden)))
    gradients = h + 2 * points @ a
    gradients -= (gradients * points).sum(axis=1, keepdims=True) * points
    said = agreement(h[None], gradients[:, None])[0]
    assert said == pytest.approx(1 / np.sqrt(1 + 2 * curved**2), abs=0.05)
    assert unit(h[None])[0] @ x == pytest.approx(said, abs=0.08)


def test_chances_are_those_of_every_draw_by_itself():
    draw = np.random.default_rng(2)
    words, directions = draw.standard_normal((30, 8)), draw.standard_normal((5, 8))
    targets, shares = np.array([0, 3, 29, 7, 12]), draw.random((2, 5))
    directions += words[targets]
    found = chances(directions, shares, targets, words, 50, np.random.default_rng(3))
    noise = np.random.default_rng(3).standard_normal((50, 8))
    for variant, row in np.ndindex(2, 5):
        hits = 0
        for random in noise:
            s = shares[variant, row]
            x = s * directions[row] / np.linalg.norm(directions[row])
            x = x + np.sqrt(1 - s**2) * random / np.linalg.norm(random)
            cosines = [word @ x / np.linalg.norm(word) for word in words]
            hits += np.argmax(cosines) == targets[row]
        assert found[variant, row] == pytest.approx(hits / 50, abs=1e-6)
