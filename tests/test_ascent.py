"""Ascent is the paper's protocol, exactly, and does not care how the work was cut."""

import numpy as np
import pytest
import torch

import reference
from conftest import FRAME, load_tiny
from textualization.ascent import AscentSettings, Objectives, ascend, mean_of, recorded_steps
from textualization.bert import Tap
from textualization.similarity import nearest_words
from textualization.starts import vocabulary_vectors

GROUPS = [
    [("output", 1, 3)],
    [("output", 2, 0)],
    [("intermediate", 2, 7)],
    [("output", 1, 1), ("output", 2, 5), ("intermediate", 1, 2), ("output", 2, 9)],
]


def starts_for(model, count, dtype=torch.float64):
    x0 = vocabulary_vectors(7, [("test", i) for i in range(count)], 400, "normal", 1.0)
    return torch.from_numpy(x0), (torch.from_numpy(x0) @ model.word_embeddings.double()).to(dtype)


def climb(model, groups, start, steps, **settings):
    return ascend(model, mean_of(groups, model), start, AscentSettings(steps=steps, **settings))


@pytest.mark.parametrize("rate", [1.0, 100.0, 1001.0])
def test_ascent_is_the_literal_vocabulary_space_loop(tiny, rate):
    frozen, whole = tiny
    x0, start = starts_for(frozen, len(GROUPS))
    found = climb(frozen, GROUPS, start, steps=100, rate=rate)
    words = whole.embeddings.word_embeddings.weight
    for row, group in enumerate(GROUPS):
        x, curve = reference.vocabulary_ascent(whole, group, x0[row], 100, rate, FRAME)
        e = x @ words
        assert torch.linalg.norm(found.embedding[row] - e) <= 1e-9 * torch.linalg.norm(e)
        # The vocabulary vector itself can be had back.
        assert found.start_share[row] == 1
        recovered = x0[row] + words @ found.coefficients[row]
        assert torch.linalg.norm(recovered - x) <= 1e-9 * torch.linalg.norm(x)
        assert found.activation[row].item() == pytest.approx(curve[-1], rel=1e-9)
        np.testing.assert_allclose(
            found.curve[:, row], np.array(curve)[found.steps], rtol=1e-8, atol=1e-10
        )


def test_float32_ends_at_the_words_of_the_float64_loop():
    frozen, whole = load_tiny("tiny-wide", dtype=torch.float32)
    whole = whole.double()
    x0, start = starts_for(frozen, len(GROUPS), torch.float32)
    found = climb(frozen, GROUPS, start, steps=100)
    words = whole.embeddings.word_embeddings.weight
    literal = torch.stack(
        [
            reference.vocabulary_ascent(whole, group, x0[row], 100, 1001.0, FRAME)[0] @ words
            for row, group in enumerate(GROUPS)
        ]
    )
    everything = np.ones(400, dtype=bool)
    ours, _ = nearest_words(found.embedding.numpy(), words.numpy(), everything)
    # Brute force in float64, on the literal loop's end.
    cosine = torch.nn.functional.normalize(literal) @ torch.nn.functional.normalize(words).T
    assert ours.tolist() == cosine.argmax(dim=1).tolist()
    error = torch.linalg.norm(found.embedding - literal, dim=1) / torch.linalg.norm(literal, dim=1)
    assert error.max() < 1e-4


@pytest.mark.parametrize("solver", ["paper", "sphere"])
def test_an_optimum_does_not_depend_on_its_batch_or_its_place_in_it(tiny, solver):
    frozen, _ = tiny
    groups = GROUPS * 3
    _, start = starts_for(frozen, len(groups))
    together = climb(frozen, groups, start, steps=60, solver=solver)
    order = torch.randperm(len(groups), generator=torch.Generator().manual_seed(1))
    shuffled = climb(frozen, [groups[i] for i in order], start[order], steps=60, solver=solver)
    torch.testing.assert_close(shuffled.embedding, together.embedding[order], rtol=1e-9, atol=1e-9)
    for row in (0, 5, len(groups) - 1):
        alone = climb(frozen, groups[row : row + 1], start[row : row + 1], steps=60, solver=solver)
        torch.testing.assert_close(
            alone.embedding[0], together.embedding[row], rtol=1e-9, atol=1e-9
        )


def test_a_start_belongs_to_its_objective_and_not_to_its_place():
    names = [("a", 1), ("b", 2), ("c", 3)]
    forwards = vocabulary_vectors(1, names, 50, "normal", 1.0)
    backwards = vocabulary_vectors(1, names[::-1], 50, "normal", 1.0)
    np.testing.assert_array_equal(forwards, backwards[::-1])
    assert not np.allclose(forwards[0], forwards[1])
    assert not np.allclose(forwards, vocabulary_vectors(2, names, 50, "normal", 1.0))


def test_no_optimum_exceeds_its_ceiling_and_every_one_climbs(tiny):
    frozen, _ = tiny
    rows = [[("output", layer, i)] for layer in range(1, frozen.layers + 1) for i in range(8)]
    rows += [
        [("intermediate", layer, i)] for layer in range(1, frozen.layers + 1) for i in range(8)
    ]
    rows += [[n for [n] in rows[i::5]] for i in range(5)]
    objectives = mean_of(rows, frozen)
    _, start = starts_for(frozen, len(rows))
    found = ascend(frozen, objectives, start, AscentSettings(steps=300))
    ceiling = objectives.ceiling(frozen)
    assert (found.activation <= ceiling + 1e-9).all()
    assert (found.curve <= ceiling + 1e-9).all()
    # On average far above the start, and near what geometry allows in layer 1.
    assert (found.activation > found.curve[0]).double().mean() > 0.95
    assert (found.activation[:8] / ceiling[:8]).median() > 0.8


def test_five_small_steps_improve_every_objective(tiny):
    frozen, _ = tiny
    _, start = starts_for(frozen, len(GROUPS))
    found = climb(frozen, GROUPS, start, steps=5, rate=0.05)
    assert (found.curve.diff(dim=0) > 0).all()


@pytest.mark.parametrize("solver", ["paper", "sphere"])
def test_what_stops_being_finite_is_flagged_and_keeps_its_last_good_state(tiny, solver):
    frozen, _ = tiny
    _, start = starts_for(frozen, 2)
    start[1, 0] = float("nan")
    found = climb(frozen, GROUPS[:2], start, steps=20, solver=solver)
    alone = climb(frozen, GROUPS[:1], start[:1], steps=20, solver=solver)
    assert found.finite.tolist() == [True, False]
    torch.testing.assert_close(found.embedding[0], alone.embedding[0], rtol=1e-9, atol=1e-9)
    if solver == "paper":
        assert torch.equal(found.embedding[1, 1:], start[1, 1:])


def test_a_gradient_that_overflows_midway_keeps_the_state_before_it(tiny, monkeypatch):
    frozen, _ = tiny
    _, start = starts_for(frozen, 2)
    good = climb(frozen, GROUPS[:2], start, steps=7, rate=0.5)
    whole, calls = frozen.activations, []

    def broken(inputs, taps):
        calls.append(1)
        found = whole(inputs, taps)
        if len(calls) == 8:  # the eighth step's gradient, of the second objective
            found = {t: torch.cat([a[:1], a[1:] * float("inf")]) for t, a in found.items()}
        return found

    monkeypatch.setattr(frozen, "activations", broken)
    found = climb(frozen, GROUPS[:2], start, steps=20, rate=0.5)
    assert found.finite.tolist() == [True, False]
    torch.testing.assert_close(found.embedding[1], good.embedding[1], rtol=1e-12, atol=1e-12)


def test_the_sphere_keeps_the_length_and_its_vocabulary_vector(tiny):
    frozen, _ = tiny
    x0, start = starts_for(frozen, len(GROUPS))
    found = climb(frozen, GROUPS, start, steps=80, solver="sphere")
    torch.testing.assert_close(
        found.embedding.norm(dim=1), start.norm(dim=1), rtol=1e-12, atol=1e-12
    )
    x = found.start_share[:, None] * x0 + found.coefficients @ frozen.word_embeddings.T
    torch.testing.assert_close(x @ frozen.word_embeddings, found.embedding, rtol=1e-8, atol=1e-8)
    assert (found.start_share - 1).abs().min() > 1e-3


def test_a_step_of_the_sphere_follows_its_definition(tiny):
    """Two steps written out from the definition, in embedding space, on the transformers model."""
    frozen, whole = tiny
    _, start = starts_for(frozen, 1)
    e, group = start[0], GROUPS[0]
    radius, words = e.norm(), frozen.word_embeddings
    values, vectors = torch.linalg.eigh(words.T @ words)
    preconditioner = vectors @ torch.diag(values**0.25) @ vectors.T
    angle, momentum = 0.7, 0.9
    u, v = e / radius, torch.zeros_like(e)
    for step in range(2):
        ahead = (u + momentum * v) / (u + momentum * v).norm()
        x = (radius * ahead)[None].clone().requires_grad_()
        [(site, layer, index)] = group
        value = reference.activations(whole, x, site, layer, FRAME)[0, index]
        d = preconditioner @ torch.autograd.grad(value, x)[0][0]
        d = d - (d @ ahead) * ahead
        falling = angle * (1 + np.cos(np.pi * step / 2)) / 2
        v = momentum * v + (1 - momentum) * falling * d / d.norm()
        u = (u + v) / (u + v).norm()
        v = v - (v @ u) * u
    found = climb(frozen, [group], start, steps=2, solver="sphere", angle=angle, momentum=momentum)
    torch.testing.assert_close(found.embedding[0], radius * u, rtol=1e-9, atol=1e-9)


def test_the_sphere_reaches_in_200_steps_what_the_paper_reaches_in_5000():
    frozen, _ = load_tiny("tiny-wide", dtype=torch.float32)
    groups = [[("output", 2, i)] for i in range(24)]
    _, start = starts_for(frozen, len(groups), torch.float32)
    paper = climb(frozen, groups, start, steps=5000)
    sphere = climb(frozen, groups, start, steps=200, solver="sphere")
    assert (sphere.activation >= 0.99 * paper.activation).float().mean() > 0.9


def test_an_unknown_solver_is_refused_by_name(tiny):
    _, start = starts_for(tiny[0], 1)
    with pytest.raises(ValueError, match="'newton' .known: paper, sphere"):
        climb(tiny[0], GROUPS[:1], start, steps=1, solver="newton")


@pytest.mark.parametrize(
    "group", [[("output", 0, 0)], [("output", 99, 0)], [("output", 1, 999)], [("output", 1, -1)]]
)
def test_a_neuron_that_the_model_lacks_is_refused_with_the_valid_range(tiny, group):
    with pytest.raises(ValueError, match="is no neuron of this model .*layers 1 to"):
        mean_of([group], tiny[0])


def test_an_empty_group_is_refused(tiny):
    with pytest.raises(ValueError, match="group 1 holds no neuron"):
        mean_of([GROUPS[0], []], tiny[0])


def test_an_objective_is_the_mean_of_its_neurons():
    weights = {Tap("output", 1): torch.tensor([[0.5, 0.0], [0.0, 0.0]])}
    weights[Tap("output", 2)] = torch.tensor([[0.5, 0.0], [0.5, 0.5]])
    states = {Tap("output", 1): torch.tensor([[4.0, 9.0]] * 2)}
    states[Tap("output", 2)] = torch.tensor([[2.0, 6.0]] * 2)
    assert Objectives(weights).value(states).tolist() == [3.0, 4.0]


def test_recorded_steps_begin_at_0_and_end_at_the_last():
    assert recorded_steps(0, 10).tolist() == [0]
    steps = recorded_steps(5000, 40)
    assert steps[0] == 0 and steps[-1] == 5000 and (np.diff(steps) > 0).all()
