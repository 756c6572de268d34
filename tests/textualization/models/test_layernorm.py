"""What LayerNorm alone lets expect, beside integrals, drawn numbers and normalised vectors."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from textualization.models.layernorm import expected_magnitude, expected_maximum

#: Gain and bias; several of each sign, none, small beside the other and large.
CASES = [
    (1.0, 0.0),
    (-1.3, 0.0),
    (0.8, 0.5),
    (0.8, -0.5),
    (-0.7, 0.9),
    (-0.7, -2.0),
    (0.05, 3.0),
    (3.0, 0.01),
    (0.0, 0.0),
    (0.0, -1.5),
    (0.0, 0.4),
]
GAIN, BIAS = np.array(CASES).T


@pytest.mark.filterwarnings("error")
def test_the_expected_magnitude_is_its_integral():
    for (gain, bias), found in zip(CASES, expected_magnitude(GAIN, BIAS), strict=True):
        kink = [-bias / gain] if gain else None
        expected = quad(
            lambda n, g=gain, b=bias: abs(g * n + b) * norm.pdf(n), -12, 12, points=kink, limit=200
        )[0]
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_without_bias_the_expected_magnitude_is_that_of_a_half_normal_number():
    gain = np.array([-2.0, 0.0, 0.3, 1.0])
    np.testing.assert_allclose(
        expected_magnitude(gain, np.zeros(4)), abs(gain) * np.sqrt(2 / np.pi)
    )


@pytest.mark.filterwarnings("error")
def test_without_gain_the_expected_magnitude_is_the_biass():
    assert expected_magnitude([0.0, 0.0, 0.0], [-1.5, 0.0, 2.0]).tolist() == [1.5, 0.0, 2.0]


def test_signs_do_not_matter_to_the_expected_magnitude():
    for signs in ((-1, 1), (1, -1), (-1, -1)):
        np.testing.assert_allclose(
            expected_magnitude(signs[0] * GAIN, signs[1] * BIAS), expected_magnitude(GAIN, BIAS)
        )


def test_normalised_vectors_have_the_expected_magnitude():
    draw = np.random.default_rng(0)
    n = draw.normal(size=(4000, 300))
    n -= n.mean(axis=1, keepdims=True)
    n /= n.std(axis=1, keepdims=True)
    for (gain, bias), expected in zip(CASES, expected_magnitude(GAIN, BIAS), strict=True):
        found = np.abs(gain * n + bias).mean()
        assert found == pytest.approx(expected, rel=0.01, abs=1e-12)


@pytest.mark.parametrize("words", [1, 2, 5, 30, 1000, 30000])
def test_the_expected_maximum_is_nearly_its_integral(words):
    def density(n):
        return n * words * norm.pdf(n) * np.exp((words - 1) * norm.logcdf(n))

    exact = quad(density, -12, 12, points=[0, 2, 4], limit=200)[0]
    found = expected_maximum(GAIN, BIAS, words)
    for (gain, bias), value in zip(CASES, found, strict=True):
        # Blom's approximation is within 0.03 of a standard normal number's.
        assert abs(value - (bias + abs(gain) * exact)) <= 0.03 * abs(gain) + 1e-12


@pytest.mark.parametrize("words", [3, 20, 400])
def test_the_expected_maximum_is_the_mean_of_drawn_maxima(words):
    highest = np.random.default_rng(1).normal(size=(4000, words)).max(axis=1)
    lowest = np.random.default_rng(2).normal(size=(4000, words)).min(axis=1)
    for (gain, bias), value in zip(CASES, expected_maximum(GAIN, BIAS, words), strict=True):
        found = (gain * (highest if gain > 0 else lowest) + bias).mean()
        assert value == pytest.approx(found, abs=0.05 * abs(gain) + 1e-12)


def test_float32_parameters_are_computed_in_float64():
    narrow = [a.astype(np.float32) for a in (GAIN, BIAS)]
    wide = [a.astype(np.float64) for a in narrow]
    assert np.array_equal(expected_magnitude(*narrow), expected_magnitude(*wide))
    assert np.array_equal(expected_maximum(*narrow, 100), expected_maximum(*wide, 100))
