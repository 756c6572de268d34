"""Ceilings beside what vectors of mean zero and length √H really reach."""

import math

import numpy as np
import pytest

from textualization.ceilings import intermediate_ceiling, linear_ceiling, output_ceiling

H = 12
gelu = np.vectorize(lambda a: 0.5 * a * (1 + math.erf(a / math.sqrt(2))), otypes=[float])


def normalised(vectors):
    """Mean zero, length √H: what LayerNorm makes of vectors before gain and bias."""
    vectors = vectors - vectors.mean(axis=1, keepdims=True)
    return vectors * math.sqrt(vectors.shape[1]) / np.linalg.norm(vectors, axis=1, keepdims=True)


def read_out(weights, n, gain, bias):
    """Σ w·(γn + β) for one read-out and one vector, term by term."""
    return math.fsum(w * (g * x + b) for w, g, x, b in zip(weights, gain, n, bias, strict=True))


def norm_parameters(seed):
    draw = np.random.default_rng(seed)
    gain = draw.normal(1.0, 0.7, H)
    gain[3] = -abs(gain[3])
    return gain, draw.normal(0.0, 0.5, H)


@pytest.mark.parametrize("seed", range(3))
def test_no_normalised_vector_passes_the_linear_ceiling(seed):
    gain, bias = norm_parameters(seed)
    draw = np.random.default_rng(100 + seed)
    weights = draw.normal(size=(3, H))
    reached = (gain * normalised(draw.normal(size=(20000, H))) + bias) @ weights.T
    ceiling = linear_ceiling(weights, gain, bias)
    assert (reached.max(axis=0) <= ceiling).all()
    # Random vectors come near enough for a bound that is too high to show.
    assert (reached.max(axis=0) >= weights @ bias + 0.6 * (ceiling - weights @ bias)).all()


@pytest.mark.parametrize("seed", range(3))
def test_numerical_maximisation_ends_at_the_linear_ceiling(seed):
    gain, bias = norm_parameters(seed)
    draw = np.random.default_rng(200 + seed)
    weights = draw.normal(size=H)
    n = normalised(draw.normal(size=(1, H)))
    for _ in range(60):
        n = normalised(n + 2.0 * weights * gain)
    assert n.mean() == pytest.approx(0, abs=1e-12)
    assert np.linalg.norm(n) == pytest.approx(math.sqrt(H))
    reached = read_out(weights, n[0], gain, bias)
    assert linear_ceiling(weights[None], gain, bias) == pytest.approx([reached], rel=1e-9)


def test_a_read_out_that_the_mean_removal_cancels_can_only_be_its_bias():
    gain, bias = np.linspace(0.5, 2, H), np.linspace(-1, 3, H)
    weights = 3.0 / gain  # γ⊙w is constant, and n has mean zero
    expected = math.fsum(w * b for w, b in zip(weights, bias, strict=True))
    assert linear_ceiling(weights[None], gain, bias) == pytest.approx([expected])


def test_an_output_neurons_ceiling_is_the_linear_ceiling_of_its_unit_vector():
    gain, bias = norm_parameters(5)
    assert output_ceiling(gain, bias) == pytest.approx(linear_ceiling(np.eye(H), gain, bias))


def test_an_output_neurons_ceiling_is_reached_by_the_spike_at_its_place():
    gain, bias = norm_parameters(5)
    for i in range(H):
        spike = np.zeros((1, H))
        spike[0, i] = math.copysign(1, gain[i])
        reached = gain[i] * normalised(spike)[0, i] + bias[i]
        assert output_ceiling(gain, bias)[i] == pytest.approx(reached)


def test_a_means_ceiling_is_below_the_mean_of_ceilings():
    gain, bias = norm_parameters(6)
    together = linear_ceiling(np.full((1, H), 1 / H), gain, bias)[0]
    assert together < output_ceiling(gain, bias).mean() - 0.1


def test_float32_parameters_are_computed_in_float64():
    gain, bias = (p.astype(np.float32) for p in norm_parameters(7))
    weights = np.random.default_rng(7).normal(size=(4, H)).astype(np.float32)
    exact = linear_ceiling(*(a.astype(np.float64) for a in (weights, gain, bias)))
    assert np.array_equal(linear_ceiling(weights, gain, bias), exact)


@pytest.mark.parametrize("activation", [gelu, lambda a: np.maximum(a, 0.0)], ids=["gelu", "relu"])
def test_no_normalised_vector_passes_the_intermediate_ceiling(activation):
    gain, bias = norm_parameters(8)
    draw = np.random.default_rng(8)
    weight = draw.normal(size=(6, H))
    offset = np.array([0.0, 2.0, -5.0, -200.0, -1000.0, 1.0])
    ceiling = intermediate_ceiling(weight, offset, gain, bias, activation)
    before = (gain * normalised(draw.normal(size=(5000, H))) + bias) @ weight.T + offset
    assert (activation(before).max(axis=0) <= ceiling).all()
    assert np.array_equal(ceiling[[3, 4]], [0.0, 0.0])  # never excited at all


def test_a_positive_intermediate_ceiling_is_reached():
    gain, bias = norm_parameters(9)
    weight = np.random.default_rng(9).normal(size=(1, H))
    best = normalised(weight * gain)[0]
    before = read_out(weight[0], best, gain, bias) + 0.3
    expected = 0.5 * before * (1 + math.erf(before / math.sqrt(2)))
    assert expected > 0
    assert intermediate_ceiling(weight, [0.3], gain, bias, gelu) == pytest.approx([expected])


def test_gelu_just_below_zero_is_passed_from_further_left_so_the_ceiling_is_zero():
    gain, bias = np.ones(H), np.zeros(H)
    weight = np.random.default_rng(10).normal(size=(1, H))
    highest = read_out(weight[0], normalised(weight)[0], gain, bias)
    offset = [-0.1 - highest]  # the pre-activation ends at -0.1
    inputs = normalised(np.random.default_rng(11).normal(size=(200, H)))
    reached = gelu(inputs @ weight[0] + offset[0]).max()
    assert gelu(np.array([-0.1]))[0] < reached <= 0
    assert np.array_equal(intermediate_ceiling(weight, offset, gain, bias, gelu), [0.0])
