"""Explanation by a model at hand: the same numbers as from activations of one word at a time."""

import numpy as np
import pytest
from scipy.stats import pearsonr

import textualization as tx
from textualization.directions import activations_over
from textualization.explanations import explanation_over
from textualization.models.transformer import Tap


def test_optima_and_gradients_are_judged_on_the_given_words():
    model = tx.load("tests/data/tiny-deep", device="cpu")
    optima = tx.ascend(model, ["output/2/3", "output/3/1"], solver="lbfgs", steps=10)
    words = np.flatnonzero(model.candidates)[5:205:2]
    activations = activations_over(model, optima.neurons, words)
    found = explanation_over(model, words, activations, optima.neurons, optima.arrays)
    gradient = tx.explain(model, ["output/2/3", "output/3/1"])
    e = model.embeddings.astype(float)
    for row, (_, layer, index) in enumerate(group[0] for group in optima.neurons):
        a = model.word_activations(words, [Tap("output", layer)])
        a = next(iter(a.values()))[:, index]
        for column, inputs in (
            ("explanation", optima.embedding),
            ("start_explanation", optima.arrays.start),
            ("gradient_explanation", gradient.embedding),
        ):
            near = [e[w] @ inputs[row] / np.linalg.norm(e[w]) for w in words]
            assert found[column][row] == pytest.approx(pearsonr(near, a)[0], abs=1e-4)
