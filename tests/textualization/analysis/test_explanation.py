"""Explanation: closed forms, and brute force by scipy and by loops."""

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from textualization.analysis.explanation import COLUMNS, MEASURES, NEAR, TOP, explanation

H, WORDS = 12, 1500


@pytest.fixture(scope="module")
def some():
    dice = np.random.default_rng(3)
    words = dice.standard_normal((WORDS, H)) * dice.uniform(0.5, 2, (WORDS, 1))
    inputs, starts = dice.standard_normal((2, 300, H))
    # Responses of all kinds: linear, saturated, even, noise.
    z = words @ dice.standard_normal((H, 300))
    activations = np.concatenate(
        [z[:, :80], np.tanh(z[:, 80:160]), z[:, 160:240] ** 2, dice.standard_normal((WORDS, 60))], 1
    )
    return inputs, starts, words, activations.astype(np.float32)


def cosine(one, other):
    return one @ other / np.linalg.norm(one) / np.linalg.norm(other)


def test_it_is_what_loops_and_scipy_say(some):
    inputs, starts, words, activations = some
    found = explanation(*some)
    assert list(found) == COLUMNS and len(found) == len(inputs)
    for row in (0, 100, 127, 128, 200, 299):
        near = np.array([cosine(inputs[row], word) for word in words])
        of_start = np.array([cosine(starts[row], word) for word in words])
        a = activations[:, row]
        expected = [pearsonr(near, a)[0], spearmanr(near, a)[0], pearsonr(np.abs(near), a)[0]]
        top = set(sorted(range(WORDS), key=lambda word: -a[word])[:TOP])
        for count in NEAR:
            nearest = sorted(range(WORDS), key=lambda word: -near[word])[:count]
            expected.append(len(top.intersection(nearest)) / TOP)
        expected += [pearsonr(of_start, a)[0], pearsonr(np.abs(of_start), a)[0]]
        np.testing.assert_allclose(found.iloc[row], expected, rtol=1e-5, atol=1e-6)
    for name, measure in MEASURES.items():
        np.testing.assert_allclose(measure(inputs, words, activations), found[name], rtol=1e-12)


def test_a_neuron_that_responds_to_closeness_is_explained_whole():
    dice = np.random.default_rng(0)
    words = dice.standard_normal((2000, H))
    words /= np.linalg.norm(words, axis=1, keepdims=True)
    e = dice.standard_normal((1, H))
    closeness = words @ e[0] / np.linalg.norm(e)
    responses = np.stack([3 * closeness + 1, -closeness, np.exp(closeness), closeness**2], axis=1)
    found = explanation(np.repeat(e, 4, axis=0), -np.repeat(e, 4, axis=0), words, responses)
    assert found["explanation"][:2].tolist() == pytest.approx([1, -1])
    assert found["explanation_spearman"][:3].tolist() == pytest.approx([1, -1, 1])
    assert found["precision_100"][[0, 2]].tolist() == [1, 1] and found["precision_100"][1] == 0
    assert found["start_explanation"][:2].tolist() == pytest.approx([-1, 1])
    # An even response is explained by either sign, and by the unsigned measure alone.
    assert abs(found["explanation"][3]) < 0.1 < 0.9 < found["explanation_unsigned"][3]
    assert explanation(-e, e, words, responses[:, 3:])["explanation_unsigned"][0] == pytest.approx(
        found["explanation_unsigned"][3]
    )


def test_the_length_of_an_input_and_the_scale_of_responses_do_not_count(some):
    inputs, starts, words, activations = some
    found = explanation(inputs, starts, words, activations)
    other = explanation(8 * inputs, 0.25 * starts, 4 * words, 2 * activations)
    np.testing.assert_allclose(other, found, rtol=1e-4, atol=1e-5)


def test_nothing_is_said_where_nothing_can_be():
    dice = np.random.default_rng(1)
    words, inputs = dice.standard_normal((50, H)), dice.standard_normal((3, H))
    inputs[1] = np.nan
    activations = dice.standard_normal((50, 3))
    activations[:, 2] = 4.0
    found = explanation(inputs, inputs, words, activations)
    assert found["explanation"].isna().tolist() == [False, True, True]
    # All of 50 words are among the 100 nearest.
    assert found[["precision_100", "precision_1000"]].isna().all(axis=None)
    assert explanation(inputs[:0], inputs[:0], words, activations[:, :0]).shape == (0, len(COLUMNS))
