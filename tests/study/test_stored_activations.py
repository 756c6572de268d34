"""Activations that are read from stored word activations."""

import numpy as np
import pandas as pd
import pytest

from study.stored_activations import activations_by_words, mean_activations


def test_activations_by_words_are_those_of_each_neuron_in_order():
    rng = np.random.default_rng(0)
    matrices = {"output": rng.normal(size=(2, 6, 3)), "intermediate": rng.normal(size=(2, 6, 4))}
    rows = [("output", 2, 1), ("intermediate", 1, 3), ("output", 2, 0), ("output", 1, 2)]
    # A table's rows may be numbered in any way.
    facts = pd.DataFrame(rows, columns=["site", "layer", "index"], index=[7, 7, 0, 3])
    ids = np.array([1, 5])
    expected = [matrices[site][layer - 1, ids, index] for site, layer, index in rows]
    np.testing.assert_array_equal(activations_by_words(facts, matrices, ids), expected)


def test_mean_activations_are_those_of_each_groups_neurons():
    dice = np.random.default_rng(3)
    matrices = {"output": dice.normal(size=(2, 9, 4)), "intermediate": dice.normal(size=(2, 9, 6))}
    groups = [
        [("output", 2, 3)],
        [("output", 1, 0), ("output", 2, 0), ("intermediate", 2, 5)],
    ]
    ids = np.array([7, 0, 4])
    found = mean_activations(matrices, groups, ids)
    assert found.shape == (3, 2)
    for row, word in enumerate(ids):
        for column, group in enumerate(groups):
            values = [matrices[site][layer - 1][word][index] for site, layer, index in group]
            assert found[row, column] == pytest.approx(sum(values) / len(values), rel=1e-12)
