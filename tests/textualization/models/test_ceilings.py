"""Ceilings beside what vectors of mean zero and length √H really reach."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from textualization.models.ceilings import (
    gated_ceiling,
    intermediate_ceiling,
    intermediate_floor,
    linear_ceiling,
)

H = 12
gelu = np.vectorize(lambda a: 0.5 * a * (1 + math.erf(a / math.sqrt(2))), otypes=[float])


def output_ceiling(gain, bias):
    """Of every coordinate alone: LayerNorm writes gain · n + bias with |n| ≤ √(H − 1)."""
    return bias + np.abs(gain) * math.sqrt(len(gain) - 1)


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
    assert np.array_equal(ceiling[[3, 4]], [0.0, 0.0])  # never activated at all


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


# --- RMSNorm and gated layers -------------------------------------------------------------------


def drawn(dice, n, centred):
    """States as LayerNorm or RMSNorm makes them: (n, H), of root mean square 1."""
    states = dice.standard_normal((n, H))
    if centred:
        states -= states.mean(axis=1, keepdims=True)
    return states * np.sqrt(H) / np.linalg.norm(states, axis=1, keepdims=True)


def test_without_a_mean_to_remove_the_linear_ceiling_is_cauchys():
    dice = np.random.default_rng(0)
    weights, gain, bias = dice.standard_normal((4, H)), dice.random(H) + 0.5, dice.random(H)
    found = linear_ceiling(weights, gain, bias, centred=False)
    for row, ceiling in zip(weights, found, strict=True):
        n = row * gain * np.sqrt(H) / np.linalg.norm(row * gain)
        assert (n * gain + bias) @ row == pytest.approx(ceiling)
    states = drawn(dice, 5000, False) * gain + bias
    assert (states @ weights.T <= found + 1e-9).all()
    assert (linear_ceiling(weights, gain, bias) < found).all()


def test_without_a_mean_to_remove_an_intermediate_ceiling_is_reached_and_not_passed():
    dice = np.random.default_rng(1)
    weight, offset = dice.standard_normal((5, H)), dice.standard_normal(5)
    gain, bias = dice.standard_normal(H), dice.standard_normal(H)
    found = intermediate_ceiling(weight, offset, gain, bias, gelu, centred=False)
    best = weight * gain * np.sqrt(H) / np.linalg.norm(weight * gain, axis=1, keepdims=True)
    reached = gelu(np.einsum("ih,ih->i", best * gain + bias, weight) + offset)
    assert found == pytest.approx(reached)
    states = drawn(dice, 5000, False) * gain + bias
    assert (gelu(states @ weight.T + offset) <= found + 1e-9).all()


def relu(a):
    return np.maximum(a, 0)


def silu(a):
    return a / (1 + np.exp(-a))


def gated(n, gate, gate_offset, weight, offset, gain, bias, activation):
    states = n * gain + bias
    return activation(states @ gate.T + gate_offset) * (states @ weight.T + offset)


def layer(dice, units):
    """A gated layer and the norm before it."""
    gate, weight = (dice.standard_normal((units, H)) for _ in range(2))
    offsets = dice.standard_normal((2, units))
    return gate, offsets[0], weight, offsets[1], dice.random(H) + 0.5, 0.3 * dice.standard_normal(H)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("activation", [relu, gelu, silu])
def test_no_normalised_vector_passes_a_gated_ceiling_and_one_reaches_it(activation, centred):
    dice = np.random.default_rng(3)
    parts = layer(dice, 6)
    found = gated_ceiling(*parts, activation, centred)
    assert (gated(drawn(dice, 20_000, centred), *parts, activation) <= found + 1e-9).all()
    gate, gate_offset, weight, offset, gain, bias = parts
    for unit in range(6):
        one = (gate[[unit]], gate_offset[[unit]], weight[[unit]], offset[[unit]], gain, bias)

        def descended(x, one=one):
            x = x - x.mean() if centred else x
            return -gated(x[None] * np.sqrt(H) / np.linalg.norm(x), *one, activation)[0, 0]

        tops = [minimize(descended, dice.standard_normal(H), tol=1e-9).fun for _ in range(12)]
        assert -min(tops) == pytest.approx(found[unit], rel=1e-6)


def best_angle(gate, gate_offset, weight, offset, gain, activation, centred):
    """The best of one neuron at a norm without bias, by a fine walk round the circle of its plane.

    At any given gate, what n may still do moves the value alone; so the best n lies wholly in the
    plane of the two read-outs.
    """
    a, b = gate * gain, weight * gain
    if centred:
        a, b = a - a.mean(), b - b.mean()
    first = a / np.linalg.norm(a)
    rest = b - (b @ first) * first
    second = rest / np.linalg.norm(rest)
    angle = np.linspace(0, 2 * np.pi, 200_001)
    n = np.sqrt(H) * np.stack([np.cos(angle), np.sin(angle)])
    gates, values = (np.stack([w @ first, w @ second]) @ n for w in (a, b))
    return (activation(gates + gate_offset) * (values + offset)).max()


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("activation", [relu, gelu, silu])
def test_a_negated_value_bounds_a_gated_neuron_from_below(activation, centred):
    dice = np.random.default_rng(6)
    gate, gate_offset, weight, offset, gain, bias = parts = layer(dice, 6)
    lower = -gated_ceiling(gate, gate_offset, -weight, -offset, gain, bias, activation, centred)
    upper = gated_ceiling(*parts, activation, centred)
    assert (lower < upper).all()
    assert (gated(drawn(dice, 20_000, centred), *parts, activation) >= lower - 1e-9).all()
    for unit in range(6):
        # A norm's bias is as good as an offset.
        moved = gate_offset[unit] + gate[unit] @ bias, offset[unit] + weight[unit] @ bias
        for sign, bound in ((1, upper), (-1, -lower)):
            found = best_angle(
                gate[unit],
                moved[0],
                sign * weight[unit],
                sign * moved[1],
                gain,
                activation,
                centred,
            )
            assert bound[unit] == pytest.approx(found, rel=1e-8)


@pytest.mark.parametrize("centred", [True, False])
def test_a_gate_at_right_angles_to_its_value_is_bounded_by_half_of_both_ceilings(centred):
    dice = np.random.default_rng(7)
    gain, none, zero = dice.random(H) + 0.5, np.zeros(H), np.zeros(1)
    a, b = drawn(dice, 2, centred)
    b -= (a @ b) / (a @ a) * a
    gate, weight = (a / gain)[None], (b / gain)[None]
    found = gated_ceiling(gate, zero, weight, zero, gain, none, relu, centred)
    both = linear_ceiling(gate, gain, none, centred) * linear_ceiling(weight, gain, none, centred)
    # sin·cos is at most a half.
    assert found == pytest.approx(both / 2, rel=1e-12)
    halfway = a / np.linalg.norm(a) + b / np.linalg.norm(b)
    n = (halfway * np.sqrt(H / 2))[None]
    assert gated(n, gate, zero, weight, zero, gain, none, relu)[0] == pytest.approx(found)


@pytest.mark.parametrize("turned", [1, -1])
@pytest.mark.parametrize("activation", [relu, gelu, silu])
def test_a_gate_along_its_value_is_bounded_by_the_best_point_of_a_line(activation, turned):
    dice = np.random.default_rng(8)
    gate, gate_offset, _, offset, gain, bias = layer(dice, 5)
    weight = turned * 0.7 * gate
    found = gated_ceiling(gate, gate_offset, weight, offset, gain, bias, activation)
    far = linear_ceiling(gate, gain, 0 * bias)
    share = np.linspace(-1, 1, 400_001)[:, None] * far
    line = activation(share + gate @ bias + gate_offset) * (
        turned * 0.7 * share + weight @ bias + offset
    )
    assert found == pytest.approx(line.max(axis=0), rel=1e-6, abs=1e-9)
    assert (line <= found + 1e-9).all()


def test_gates_that_point_as_their_values_do_are_bounded_too():
    dice = np.random.default_rng(4)
    gate, gate_offset, _, _, gain, bias = layer(dice, 3)
    zero = np.zeros(3)
    parallel = gated_ceiling(gate, zero, gate, zero, gain, 0 * bias, relu)
    far = linear_ceiling(gate, gain, 0 * bias)
    assert parallel == pytest.approx(far**2)
    # Against each other, one is negative where the gate is open.
    assert gated_ceiling(gate, zero, -gate, zero, gain, 0 * bias, relu) == pytest.approx(
        0, abs=1e-9
    )
    assert gated_ceiling(0 * gate, zero, gate, zero, gain, bias, relu) == pytest.approx(0)


def test_many_gated_neurons_are_each_bounded_alone():
    dice = np.random.default_rng(5)
    parts = layer(dice, 600)
    found = gated_ceiling(*parts, silu)
    some = [0, 255, 256, 599]
    alone = gated_ceiling(*(p[some] for p in parts[:4]), *parts[4:], silu)
    assert np.array_equal(found[some], alone)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("activation", [relu, gelu, silu])
def test_an_intermediate_floor_is_the_lowest_value_on_the_line_that_can_be_reached(
    activation, centred
):
    dice = np.random.default_rng(12)
    gain, bias = norm_parameters(12)
    weight = dice.normal(size=(6, H))
    offset = np.array([0.0, 2.0, -5.0, -200.0, 200.0, 60.0])
    found = intermediate_floor(weight, offset, gain, bias, activation, centred)
    states = drawn(dice, 5000, centred) * gain + bias
    assert (activation(states @ weight.T + offset) >= found - 1e-9).all()
    for unit in range(6):
        along = weight[unit] * gain
        along = along - along.mean() if centred else along
        n = along * math.sqrt(H) / np.linalg.norm(along)
        ends = [read_out(weight[unit], end, gain, bias) + offset[unit] for end in (-n, n)]
        line = activation(np.linspace(*ends, 400_001))
        assert line.min() == pytest.approx(found[unit], rel=1e-7, abs=1e-8)
