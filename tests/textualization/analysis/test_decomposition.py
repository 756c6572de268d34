"""Mixtures of words against planted ones, brute force, and another solver's greedy loop."""

import itertools

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from textualization.analysis.decomposition import (
    decompose,
    layerwise_cosine,
    share_explained,
)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def dictionary(words=60, width=20, seed=0):
    dice = np.random.default_rng(seed)
    return dice.standard_normal((words, width)) * dice.uniform(0.5, 3, (words, 1))


ALL = np.ones(60, dtype=bool)


def literal(vector, words, count):
    """The greedy loop with bounded least squares of another kind."""
    target, chosen, cosines = unit(vector), [], []
    residual = target
    for _ in range(count):
        score = [-np.inf if w in chosen else residual @ unit(words[w]) for w in range(len(words))]
        if max(score) <= 1e-12:
            cosines.append(cosines[-1] if cosines else 0.0)
            continue
        chosen.append(int(np.argmax(score)))
        mixed = unit(words[chosen]).T
        weights = lsq_linear(mixed, target, bounds=(0, np.inf), method="bvls").x
        residual = target - mixed @ weights
        made = mixed @ weights
        cosines.append(target @ made / np.linalg.norm(made))
    return chosen, cosines


def test_it_is_the_greedy_loop():
    words, vectors = dictionary(), np.random.default_rng(1).standard_normal((12, 20))
    found = decompose(vectors, words, ALL, 8)
    for row, vector in enumerate(vectors):
        chosen, cosines = literal(vector, words, 8)
        assert found.words[row].tolist() == chosen
        np.testing.assert_allclose(found.cosine[row], cosines, atol=1e-8)


def test_planted_mixtures_of_orthogonal_words_are_found():
    words = np.diag(np.arange(1.0, 61))
    weights = np.zeros((2, 60))
    weights[0, [3, 40, 7]], weights[1, [59]] = (0.2, 0.9, 0.4), 1.0
    found = decompose(weights, words, ALL, 4)
    assert found.words.tolist() == [[40, 7, 3, -1], [59, -1, -1, -1]]
    expected = np.array([0.9, 0.4, 0.2, 0]) / np.linalg.norm([0.9, 0.4, 0.2])
    np.testing.assert_allclose(found.weights[0], expected, atol=1e-12)
    np.testing.assert_allclose(found.cosine[:, 3], 1)


@pytest.mark.parametrize("seed", range(5))
def test_planted_mixtures_of_random_words_are_found_with_their_weights(seed):
    dice = np.random.default_rng(seed)
    words = dictionary(60, 200, seed)
    planted = dice.choice(60, 4, replace=False)
    weights = dice.uniform(0.5, 1.5, 4)
    vector = weights @ unit(words[planted])
    found = decompose(7 * vector[None], words, ALL, 4)
    order = [planted.tolist().index(w) for w in found.words[0]]
    np.testing.assert_allclose(found.weights[0], (weights / np.linalg.norm(vector))[order])
    assert found.cosine[0, 3] == pytest.approx(1, abs=1e-12)


def test_two_words_are_never_above_the_best_pair():
    words, vectors = dictionary(12, 5), np.random.default_rng(5).standard_normal((20, 5))
    found = decompose(vectors, words, np.ones(12, dtype=bool), 2)
    least = []
    for row, target in enumerate(unit(vectors)):
        best = 0.0
        for pair in itertools.combinations(unit(words), 2):
            mixed = np.stack(pair, axis=1)
            made = mixed @ lsq_linear(mixed, target, bounds=(0, np.inf), method="bvls").x
            length = np.linalg.norm(made)
            best = max(best, target @ made / length if length else 0.0)
        assert found.cosine[row, 1] <= best + 1e-9
        least.append(best - found.cosine[row, 1])
    # Greed is not the best of all, but often is.
    assert min(least) < 1e-9 < max(least)


def test_the_weights_make_the_cosine_of_candidates_only():
    words, vectors = dictionary(), np.random.default_rng(6).standard_normal((20, 20))
    candidates = np.arange(60) % 3 > 0
    found = decompose(vectors, words, candidates, 10)
    for row, vector in enumerate(unit(vectors)):
        kept = found.words[row] >= 0
        assert candidates[found.words[row, kept]].all()
        made = found.weights[row, kept] @ unit(words[found.words[row, kept]])
        assert found.cosine[row, -1] == pytest.approx(vector @ made / np.linalg.norm(made))


def test_one_word_is_the_nearest_candidate():
    words, vectors = dictionary(), np.random.default_rng(2).standard_normal((30, 20))
    candidates = np.arange(60) % 3 > 0
    found = decompose(vectors, words, candidates, 1)
    cosine = unit(vectors) @ unit(words).T
    cosine[:, ~candidates] = -2
    assert found.words[:, 0].tolist() == cosine.argmax(axis=1).tolist()
    np.testing.assert_allclose(found.cosine[:, 0], cosine.max(axis=1))


def test_more_words_never_explain_less_and_no_weight_is_negative():
    words, vectors = dictionary(), np.random.default_rng(3).standard_normal((300, 20))
    found = decompose(vectors, words, ALL, 25)
    assert (np.diff(found.cosine, axis=1) > -1e-12).all() and (found.cosine <= 1).all()
    assert (found.weights >= 0).all()
    for row in found.words:
        chosen = row[row >= 0]
        assert len(set(chosen)) == len(chosen)
    # Batches of vectors do not matter.
    one = decompose(vectors[290:291], words, ALL, 25)
    assert one.words.tolist() == found.words[290:291].tolist()
    np.testing.assert_allclose(share_explained(found.cosine), found.cosine**2)


def test_it_stops_where_no_word_points_the_same_way():
    words = np.abs(dictionary())
    found = decompose(-np.ones((1, 20)), words, ALL, 3)
    assert found.words.tolist() == [[-1, -1, -1]]
    assert found.cosine.tolist() == [[0, 0, 0]] and not found.weights.any()


def test_no_vectors_make_no_mixtures():
    found = decompose(np.zeros((0, 20)), dictionary(), ALL, 3)
    assert found.words.shape == found.weights.shape == found.cosine.shape == (0, 3)


def test_a_vector_of_zeros_is_no_direction():
    found = decompose(np.zeros((1, 20)), dictionary(), ALL, 2)
    assert np.isnan(found.cosine).all() and (found.words == -1).all()


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="count: 0"):
        decompose(np.ones((1, 20)), dictionary(), ALL, 0)
    with pytest.raises(ValueError, match="candidates"):
        decompose(np.ones((1, 20)), dictionary(), ~ALL, 1)
    for mask in (ALL[:30], np.append(ALL, True), np.array([3, 5]), ALL.astype(int)):
        with pytest.raises(ValueError, match="60 booleans"):
            decompose(np.ones((1, 20)), dictionary(), mask, 1)
    for vectors in (np.ones((1, 19)), np.ones(20)):
        with pytest.raises(ValueError, match="vectors of shape"):
            decompose(vectors, dictionary(), ALL, 1)
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match="finite"):
            decompose(np.full((1, 20), value), dictionary(), ALL, 1)
    with pytest.raises(ValueError, match="shape"):
        layerwise_cosine(np.ones((2, 3, 4)), np.ones((2, 3, 5)))
    for shape in ((4,), (1, 4), (3, 4)):
        with pytest.raises(ValueError, match="mean"):
            layerwise_cosine(np.ones((2, 4, 4)), np.ones((2, 4, 4)), np.ones(shape))


def test_layerwise_cosine_is_a_loops():
    dice = np.random.default_rng(4)
    states, others, mean = (dice.standard_normal(s) for s in ((3, 5, 7), (3, 5, 7), (3, 7)))
    for off in (None, mean):
        found = layerwise_cosine(states, others, off)
        for layer in range(3):
            for row in range(5):
                a, b = states[layer, row], others[layer, row]
                if off is not None:
                    a, b = a - off[layer], b - off[layer]
                assert found[layer, row] == pytest.approx(a @ b / np.sqrt((a @ a) * (b @ b)))
