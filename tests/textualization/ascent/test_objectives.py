"""Objectives are means or weighted sums of activations, and compute no neuron for nothing."""

import numpy as np
import pytest
import torch

import reference
from ascents import GROUPS
from textualization.ascent.objectives import Objectives, mean_of, weighted_sums
from textualization.models.forward.blocks import Block
from textualization.models.transformer import SITES, Tap
from tiny import FRAME

MIXED = [*GROUPS, [("intermediate", 1, 2), ("intermediate", 1, 9)], [("output", 2, 0)]]


def inputs_for(model, n):
    generator = torch.Generator().manual_seed(5)
    return torch.randn(n, model.hidden, generator=generator, dtype=torch.float64)


def test_value_and_gradient_are_those_of_the_mean_activation(tiny):
    frozen, whole = tiny
    x = inputs_for(frozen, len(MIXED))
    value, gradient = mean_of(MIXED, frozen).value_and_gradient(frozen, x)
    assert not value.requires_grad and not x.requires_grad
    for row, group in enumerate(MIXED):
        e = x[row : row + 1].clone().requires_grad_()
        parts = [
            reference.activations(whole, e, site, layer, FRAME)[0, index]
            for site, layer, index in group
        ]
        expected = sum(parts) / len(parts)
        assert value[row].item() == pytest.approx(expected.item(), rel=1e-10)
        (slope,) = torch.autograd.grad(expected, e)
        torch.testing.assert_close(gradient[row], slope[0], rtol=1e-9, atol=1e-11)


def test_an_objective_is_the_mean_of_its_neurons():
    weights = {Tap("output", 1): torch.tensor([[0.5, 0.0], [0.0, 0.0]])}
    weights[Tap("output", 2)] = torch.tensor([[0.5, 0.0], [0.5, 0.5]])
    states = {Tap("output", 1): torch.tensor([[4.0, 9.0]] * 2)}
    states[Tap("output", 2)] = torch.tensor([[2.0, 6.0]] * 2)
    neurons = dict.fromkeys(weights, torch.arange(2))
    assert Objectives(neurons, weights).value(states).tolist() == [3.0, 4.0]


@pytest.mark.parametrize("rows", [[0], [1, 5], [4, 0, 3], [2], list(range(6))])
def test_some_rows_are_those_rows_and_need_only_their_neurons(tiny, rows):
    frozen, _ = tiny
    x = inputs_for(frozen, len(MIXED))
    value, gradient = mean_of(MIXED, frozen).value_and_gradient(frozen, x)
    some = mean_of(MIXED, frozen).rows(torch.tensor(rows))
    assert len(some) == len(rows)
    found = some.value_and_gradient(frozen, x[rows])
    torch.testing.assert_close(found[0], value[rows], rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(found[1], gradient[rows], rtol=1e-10, atol=1e-12)
    wanted = {}
    for row in rows:
        for site, layer, index in MIXED[row]:
            wanted.setdefault(Tap(site, layer), set()).add(index)
    assert {tap: set(i.tolist()) for tap, i in some.neurons.items()} == wanted
    assert all(some.weights[tap].shape[1] == len(i) for tap, i in wanted.items())


def test_rows_may_be_taken_of_rows(tiny):
    frozen, _ = tiny
    twice = mean_of(MIXED, frozen).rows(torch.tensor([3, 1, 0])).rows(torch.tensor([2, 0]))
    once = mean_of(MIXED, frozen).rows(torch.tensor([0, 3]))
    x = inputs_for(frozen, 2)
    for ours, theirs in zip(
        twice.value_and_gradient(frozen, x), once.value_and_gradient(frozen, x), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_depth_is_the_deepest_layer_of_each_row(tiny):
    frozen, _ = tiny
    expected = [max(layer for _, layer, _ in group) for group in MIXED]
    assert mean_of(MIXED, frozen).depth().tolist() == expected
    assert mean_of(MIXED, frozen).rows(torch.tensor([0, 4])).depth().tolist() == [1, 1]


def test_no_deeper_block_is_computed_than_the_rows_need(tiny):
    frozen, _ = tiny
    shallow = mean_of(MIXED, frozen).rows(torch.tensor([0, 4]))
    blocks = frozen.blocks
    try:
        frozen.blocks = [blocks[0], *[None] * (frozen.layers - 1)]
        value, _ = shallow.value_and_gradient(frozen, inputs_for(frozen, 2))
    finally:
        frozen.blocks = blocks
    assert value.isfinite().all()


def test_rows_leave_a_batch_at_their_deepest_layer_if_deeper_ones_come_first(tiny, monkeypatch):
    frozen, _ = tiny
    objectives = mean_of(MIXED, frozen)
    depth = objectives.depth()
    order = depth.argsort(descending=True, stable=True)
    assert len(set(depth.tolist())) > 1
    computed, layer_of = {}, {block: layer for layer, block in enumerate(frozen.blocks, start=1)}

    def counted(block, states):
        computed[layer_of[block]] = states.shape[1]
        return feed_forward(block, states)

    feed_forward = Block.feed_forward
    x = inputs_for(frozen, len(MIXED))
    sorted_rows = objectives.rows(order)
    with monkeypatch.context() as patched:
        patched.setattr(Block, "feed_forward", counted)
        value, gradient = sorted_rows.value_and_gradient(frozen, x[order])
    assert computed == {la: int((depth >= la).sum()) for la in computed}
    expected = objectives.value_and_gradient(frozen, x)
    torch.testing.assert_close(value, expected[0][order], rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(gradient, expected[1][order], rtol=1e-10, atol=1e-12)


def test_a_ceiling_is_the_sum_over_sites_and_layers(tiny):
    """At an output, of Σ w (γn + β) over all n of mean 0 and length √H; elsewhere neuron by neuron."""
    frozen, _ = tiny
    found = mean_of(MIXED, frozen).ceiling(frozen)
    assert found.dtype == torch.float64
    for row, group in enumerate(MIXED):
        total = 0.0
        for tap in {Tap(site, layer) for site, layer, _ in group}:
            w = torch.zeros(frozen.width(tap.site), dtype=torch.float64)
            for site, layer, index in group:
                if (site, layer) == tap:
                    w[index] += 1 / len(group)
            if tap.site == "output":
                gain, bias = frozen.blocks[tap.layer - 1].output_norm[:2]
                steep = w * gain
                total += frozen.hidden**0.5 * (steep - steep.mean()).norm() + w @ bias
            else:
                total += w @ frozen.ceiling(tap, torch.eye(len(w), dtype=torch.float64))
        assert found[row].item() == pytest.approx(float(total), rel=1e-10)
    value, _ = mean_of(MIXED * 50, frozen).value_and_gradient(
        frozen, 10 * inputs_for(frozen, 50 * len(MIXED))
    )
    assert (value <= found.repeat(50)).all()


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("other", [None, Tap("output", 1), Tap("intermediate", 2)])
def test_neurons_read_by_index_are_columns_of_the_whole_site(tiny, site, other):
    frozen, _ = tiny
    x = inputs_for(frozen, 4)
    for layer in range(1, frozen.layers + 1):
        tap = Tap(site, layer)
        wanted = {tap: torch.tensor([7, 0, 3])} | ({other: torch.tensor([5])} if other else {})
        by_index, whole = (x.clone().requires_grad_() for _ in range(2))
        found, full = frozen.activations(by_index, wanted), frozen.activations(whole, list(wanted))
        assert set(found) == set(wanted)
        columns = {t: full[t][:, i] for t, i in wanted.items()}
        for t in wanted:
            torch.testing.assert_close(found[t], columns[t], rtol=1e-12, atol=1e-12)
        sums = [sum((a * (a + 1)).sum() for a in parts.values()) for parts in (found, columns)]
        gradients = [
            torch.autograd.grad(s, e)[0] for s, e in zip(sums, (by_index, whole), strict=True)
        ]
        torch.testing.assert_close(*gradients, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "group", [[("output", 0, 0)], [("output", 99, 0)], [("output", 1, 999)], [("output", 1, -1)]]
)
def test_a_neuron_that_the_model_lacks_is_refused_with_the_valid_range(tiny, group):
    with pytest.raises(ValueError, match="is not a neuron of this model .*layers 1 to"):
        mean_of([group], tiny[0])


def test_an_empty_group_is_refused(tiny):
    with pytest.raises(ValueError, match="group 1 has no neurons"):
        mean_of([GROUPS[0], []], tiny[0])


def weighted(model):
    """Weights of both signs: of neurons, of a whole tap, and of several taps."""
    dice = np.random.default_rng(3)
    wide = {site: dice.standard_normal(model.width(site)) for site in SITES}
    return [
        {("output", 1, 3): 0.7, ("output", 2, 5): -0.3},
        {("output", 2): wide["output"]},
        {("output", 1): -wide["output"], ("intermediate", 2): wide["intermediate"]},
        {("intermediate", 1): wide["intermediate"], ("intermediate", 1, 4): -2.0},
    ]


def test_a_weighted_sum_has_the_value_and_gradient_of_transformers_states(tiny):
    frozen, whole = tiny
    rows = [*weighted(frozen), GROUPS[3]]
    x = inputs_for(frozen, len(rows))
    value, gradient = weighted_sums(rows, frozen).value_and_gradient(frozen, x)
    for row, weights in enumerate(rows):
        if isinstance(weights, list):
            weights = dict.fromkeys(weights, 1 / len(weights))
        e = x[row : row + 1].clone().requires_grad_()
        expected = 0.0
        for (site, layer, *index), weight in weights.items():
            state = reference.activations(whole, e, site, layer, FRAME)[0]
            if index:
                expected = expected + weight * state[index[0]]
            else:
                expected = expected + sum(w * a for w, a in zip(weight, state, strict=True))
        assert value[row].item() == pytest.approx(expected.item(), rel=1e-10)
        (slope,) = torch.autograd.grad(expected, e)
        torch.testing.assert_close(gradient[row], slope[0], rtol=1e-9, atol=1e-11)


def test_two_directions_of_one_neuron_each_add_up_to_twice_their_mean(tiny):
    frozen, _ = tiny
    pair, x = [("output", 1, 3), ("intermediate", 2, 7)], inputs_for(frozen, 1)
    vectors = {}
    for site, layer, index in pair:
        vectors[site, layer] = np.zeros(frozen.width(site))
        vectors[site, layer][index] = 1
    ones = [{tap: vector} for tap, vector in vectors.items()]
    mean = mean_of([pair], frozen).value_and_gradient(frozen, x)
    for rows in ([vectors], ones):
        sums = weighted_sums(rows, frozen).value_and_gradient(frozen, x.repeat(len(rows), 1))
        for total, of_mean in zip(sums, mean, strict=True):
            torch.testing.assert_close(total.sum(dim=0), 2 * of_mean[0], rtol=1e-12, atol=1e-13)


def test_no_input_takes_a_weighted_sum_past_its_ceiling_or_floor(tiny):
    frozen, _ = tiny
    rows = [*weighted(frozen), *MIXED]
    sums = weighted_sums(rows, frozen)
    ceiling, floor = sums.ceiling(frozen), sums.floor(frozen)
    assert (floor < ceiling).all()
    scale = torch.logspace(-2, 4, 1000, dtype=torch.float64)[:, None]
    found = frozen.activations(scale * inputs_for(frozen, 1000), sums.neurons)
    value = sum(found[tap] @ w.T for tap, w in sums.weights.items())
    assert (value <= ceiling + 1e-9).all() and (value >= floor - 1e-9).all()


def test_an_output_directions_ceiling_and_floor_are_reached_by_normalised_states(tiny):
    frozen, _ = tiny
    vector = np.random.default_rng(4).standard_normal(frozen.hidden)
    sums = weighted_sums([{("output", 2): vector}], frozen)
    gain, bias = (part.numpy() for part in frozen.blocks[1].output_norm[:2])
    along = vector * gain
    along -= along.mean()
    n = along * np.sqrt(len(along)) / np.linalg.norm(along)
    assert n.mean() == pytest.approx(0, abs=1e-12) and n.std() == pytest.approx(1)
    assert sums.ceiling(frozen).item() == pytest.approx(vector @ (gain * n + bias), rel=1e-10)
    assert sums.floor(frozen).item() == pytest.approx(vector @ (bias - gain * n), rel=1e-10)


def test_a_sum_without_weights_of_the_right_width_is_refused(tiny):
    with pytest.raises(ValueError, match="output/1 is not a neuron of this model"):
        weighted_sums([{("output", 1): np.ones(3)}], tiny[0])
