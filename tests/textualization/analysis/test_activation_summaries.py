"""Summaries and group means beside plain loops over the words."""

import math

import numpy as np
import pandas as pd
import pytest

from textualization.analysis.activation_summaries import group_activations, neuron_summary


def activations(words, width, seed=0):
    return np.random.default_rng(seed).normal(size=(words, width)).astype(np.float32)


def test_a_summary_is_what_a_loop_over_the_candidates_finds():
    a = activations(9, 4)
    candidates = np.array([1, 0, 1, 1, 1, 0, 1, 1, 0], dtype=bool)
    a[1] = 99.0  # no candidate, however activated
    summary = neuron_summary(a, candidates, top=3)
    assert list(summary["index"]) == [0, 1, 2, 3]
    for i in range(4):
        column = {word: float(a[word, i]) for word in range(9) if candidates[word]}
        best = sorted(column, key=column.get, reverse=True)[:3]
        mean = math.fsum(column.values()) / len(column)
        row = summary.iloc[i]
        assert row["max"] == column[best[0]]
        assert row["mean"] == pytest.approx(mean)
        assert row["mean_abs"] == pytest.approx(math.fsum(map(abs, column.values())) / len(column))
        variance = math.fsum((v - mean) ** 2 for v in column.values()) / len(column)
        assert row["std"] == pytest.approx(math.sqrt(variance))
        assert list(row["top_words"]) == best
        assert list(row["top_activations"]) == [column[word] for word in best]


def test_tied_words_are_all_named_and_each_once():
    a = np.array([[1.0], [3.0], [3.0], [3.0], [2.0]], dtype=np.float32)
    row = neuron_summary(a, np.ones(5, dtype=bool), top=4).iloc[0]
    assert set(row["top_words"][:3]) == {1, 2, 3}
    assert row["top_words"][3] == 4
    assert list(row["top_activations"]) == [3, 3, 3, 2]


def test_a_neuron_that_no_word_activates_has_a_negative_maximum():
    a = np.array([[-3.0, 0.0], [-1.0, 0.0], [-2.0, 0.0]], dtype=np.float32)
    summary = neuron_summary(a, np.ones(3, dtype=bool), top=1)
    assert list(summary["max"]) == [-1.0, 0.0]
    assert summary["top_words"][0][0] == 1
    assert list(summary["std"]) == [pytest.approx(math.sqrt(2 / 3)), 0.0]


def test_no_more_words_are_named_than_there_are():
    summary = neuron_summary(activations(5, 2), np.array([1, 0, 0, 1, 0], dtype=bool), top=10)
    assert [sorted(words) for words in summary["top_words"]] == [[0, 3], [0, 3]]


def test_deviations_survive_a_large_mean_and_a_constant_neuron_has_none():
    noise = np.random.default_rng(1).normal(size=2000)
    a = np.stack([4096 + noise, np.full(2000, 0.1)], axis=1).astype(np.float32)
    exact = [float(v) for v in a[:, 0]]
    mean = math.fsum(exact) / 2000
    summary = neuron_summary(a, np.ones(2000, dtype=bool), top=1)
    deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in exact) / 2000)
    assert summary["std"][0] == pytest.approx(deviation, rel=1e-9)
    assert summary["std"][1] == 0.0


def ranking(groups):
    """A ranking table from lists of (site, layer, index), best first."""
    rows = [
        {"group": group, "rank": rank, "site": site, "layer": layer, "index": index}
        for group, neurons in enumerate(groups)
        for rank, (site, layer, index) in enumerate(neurons, start=1)
    ]
    return pd.DataFrame(rows)


def test_group_activations_are_means_over_the_first_neurons_of_each_ranking():
    matrices = {
        "output": np.stack([activations(7, 3, seed) for seed in (1, 2)]),
        "intermediate": np.stack([activations(7, 5, seed) for seed in (3, 4)]),
    }
    everything = [
        (site, layer, index)
        for site, matrix in matrices.items()
        for layer in (1, 2)
        for index in range(matrix.shape[2])
    ]
    draw = np.random.default_rng(5)
    groups = [[everything[i] for i in draw.permutation(len(everything))] for _ in range(3)]
    sizes = [5, 1, 11]
    found = group_activations(matrices, ranking(groups).sample(frac=1, random_state=0), sizes)
    assert found.shape == (7, 3, 3)
    for word in range(7):
        for g, neurons in enumerate(groups):
            for s, size in enumerate(sizes):
                values = [float(matrices[t][layer - 1, word, i]) for t, layer, i in neurons[:size]]
                assert found[word, g, s] == pytest.approx(math.fsum(values) / size, abs=1e-6)


def test_a_group_of_one_neuron_is_that_neuron():
    matrices = {"output": activations(6, 4)[None]}
    neurons = [[("output", 1, 2), ("output", 1, 0)], [("output", 1, 3), ("output", 1, 2)]]
    found = group_activations(matrices, ranking(neurons), [1])
    assert np.array_equal(found[:, :, 0], matrices["output"][0][:, [2, 3]])


def test_neurons_beyond_the_largest_size_count_for_nothing():
    matrices = {"output": activations(6, 4)[None]}
    table = ranking([[("output", 1, i) for i in (1, 2, 0, 3)]])
    before = group_activations(matrices, table, [1, 2])
    matrices["output"][0][:, [0, 3]] = 1000.0
    assert np.array_equal(group_activations(matrices, table, [1, 2]), before)
    assert not np.allclose(group_activations(matrices, table, [1, 3])[:, :, 1], before[:, :, 1])
