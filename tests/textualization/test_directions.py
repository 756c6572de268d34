"""Directions beside optima: against loops, scipy and a hat matrix written out."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import pearsonr

import textualization as tx
from textualization.analysis.explanation import DIRECTIONS
from textualization.analysis.similarity import unit
from textualization.ascent.objectives import mean_of
from textualization.directions import (
    PENALTIES,
    TOP,
    compare_directions,
    mean_word_gradient,
    ridge,
)
from textualization.draws import generator
from textualization.models.transformer import Tap

FOLDER = "tests/data/tiny-deep"
GROUPS = [[("output", 1, 3)], [("output", 3, 0)], [("output", 2, 1), ("output", 3, 5)]]


@pytest.fixture(scope="module")
def model():
    return tx.load(FOLDER, device="cpu")


@pytest.fixture(scope="module")
def halves(model):
    ids = generator(7, "halves of the words").permutation(np.flatnonzero(model.candidates))
    return np.array_split(ids, 2)


def by_word(model, group, words):
    """A group's mean activation by each word, one word and neuron at a time."""
    transformer, found = model.transformer(), []
    with torch.inference_mode():
        for word in words:
            inputs = transformer.word_embeddings[[int(word)]]
            activations = [
                transformer.activations(inputs, {Tap(site, layer): torch.tensor([index])})
                for site, layer, index in group
            ]
            found.append(np.mean([float(value) for of in activations for value in of.values()]))
    return np.array(found)


def test_known_activations_stand_for_forward_passes(model, monkeypatch):
    optima, starts = np.random.default_rng(1).standard_normal(
        (2, len(GROUPS), model.embeddings.shape[1])
    )
    expected = compare_directions(model, GROUPS, optima, starts, 7)
    known = np.array([by_word(model, group, np.arange(len(model.words))) for group in GROUPS]).T
    monkeypatch.setattr("textualization.directions.by_words", None)
    found = compare_directions(
        model, GROUPS, optima, starts, 7, activations_of=lambda groups, ids: known[ids]
    )
    pd.testing.assert_frame_equal(found, expected, atol=1e-5)


def test_every_direction_is_judged_on_the_other_half(model, halves):
    dice = np.random.default_rng(0)
    optima, starts = dice.standard_normal((2, len(GROUPS), model.embeddings.shape[1]))
    own = dice.standard_normal(optima.shape)
    own[1] = np.nan
    found = compare_directions(model, GROUPS, optima, starts, 7, {"own": own})
    assert list(found) == [*DIRECTIONS, "own"]
    fitted, judged = halves
    e = model.embeddings.astype(np.float64)
    for row, group in enumerate(GROUPS):
        told, held_out = (by_word(model, group, half) for half in halves)
        top = np.argsort(-told)[:TOP]
        expected = {
            "optimum": optima[row],
            "start": starts[row],
            "other_optimum": optima[(row + 1) % len(GROUPS)],
            "best_word": e[fitted[told.argmax()]],
            "top_words": np.mean([e[w] / np.linalg.norm(e[w]) for w in fitted[top]], axis=0),
            "own": own[row],
        }
        for name, direction in expected.items():
            cosines = [e[w] @ direction / np.linalg.norm(e[w]) for w in judged]
            if np.isnan(direction).any():
                assert np.isnan(found[name][row])
            else:
                assert found[name][row] == pytest.approx(pearsonr(cosines, held_out)[0], abs=1e-4)
    assert found["ridge"].min() > found[["random_direction", "start"]].abs().max(axis=None)


def test_the_gradient_is_that_of_finite_differences_at_the_mean_word(model):
    found = mean_word_gradient(model, mean_of(GROUPS, model.transformer()))
    mean = model.embeddings[model.candidates].mean(axis=0)
    double = tx.load(FOLDER, device="cpu").transformer("float64")
    objectives = mean_of(GROUPS, double)
    for place in range(0, len(mean), 5):
        step = np.zeros_like(mean, dtype=np.float64)
        step[place] = 1e-5
        up, down = (
            objectives.value(
                double.activations(
                    torch.from_numpy(mean.astype(np.float64) + sign * step).repeat(len(GROUPS), 1),
                    objectives.neurons,
                )
            ).numpy()
            for sign in (1, -1)
        )
        np.testing.assert_allclose(found[:, place], (up - down) / 2e-5, rtol=1e-3, atol=1e-4)


def test_ridge_takes_the_penalty_with_the_least_generalised_error():
    dice = np.random.default_rng(2)
    words = dice.standard_normal((60, 9)) * dice.uniform(0.3, 3, 9)
    x = unit(words).astype(np.float64)
    clean = x @ dice.standard_normal((9, 2))
    a = np.column_stack([clean, 0.05 * clean[:, 0] + dice.standard_normal(60)])
    found = ridge(words, a)
    centred, values = x - x.mean(axis=0), a - a.mean(axis=0)
    scale = np.linalg.eigvalsh(centred.T @ centred).mean()
    for row in range(3):
        scores, solutions = [], []
        for penalty in PENALTIES * scale:
            inverse = np.linalg.inv(centred.T @ centred + penalty * np.eye(9))
            solutions.append(inverse @ centred.T @ values[:, row])
            hat = centred @ inverse @ centred.T + 1 / 60  # with the intercept
            rest = a[:, row] - hat @ a[:, row]
            scores.append((rest**2).sum() / np.trace(np.eye(60) - hat) ** 2)
        np.testing.assert_allclose(found[row], solutions[int(np.argmin(scores))], rtol=1e-8)
    # What is linear but for rounding needs no penalty; noise needs the largest.
    assert pearsonr(centred @ found[0], values[:, 0])[0] == pytest.approx(1)
    assert np.linalg.norm(found[2]) < 0.1 * np.linalg.norm(found[0])
