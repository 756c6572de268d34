"""Other parametrisations and penalties, against torch's own optimiser, brute force and closed forms."""

import math

import numpy as np
import pytest
import torch

from textualization.ascent.exhaustive import by_words, try_words
from textualization.ascent.loop import AscentSettings, run_ascent
from textualization.ascent.objectives import mean_of
from textualization.ascent.parametrisations import PARAMETRISATIONS, PENALTIES, Adam, Point, Words
from tiny import load_tiny

GROUPS = [[("output", 2, 3)], [("intermediate", 1, 5)], [("output", 1, i) for i in range(6)]]
CANDIDATES = torch.arange(20, 400)


@pytest.fixture(scope="module")
def model():
    return load_tiny("tiny-deep")[0]


def starts(model, n=3, scale=1.0):
    generator = torch.Generator().manual_seed(4)
    x0 = torch.randn(n, len(model.word_embeddings), generator=generator, dtype=torch.float64)
    return scale * x0 @ model.word_embeddings


def ascend(model, groups=GROUPS, steps=25, batch=None, start=None, **options):
    settings = AscentSettings(solver="adam", steps=steps, options=options)
    start = starts(model, len(groups)) if start is None else start
    objectives = mean_of(groups, model)
    return run_ascent(model, objectives, start, settings, batch, candidates=CANDIDATES)


def literal_adam(model, group, start, steps, kind, rate, penalty="none", strength=0.0, cooled=0.05):
    """The same ascent with torch.optim.Adam, one objective, everything written out."""
    e, words = model.word_embeddings, model.word_embeddings[CANDIDATES]
    length = words.norm(dim=1).mean()
    point = length * start / start.norm()
    gram = e.T @ e
    if kind == "vocabulary":
        free, scale = e @ torch.linalg.solve(gram, point), math.sqrt(e.shape[1]) / len(e)
    elif kind == "softmax":
        x = e @ torch.linalg.solve(gram, start)
        free, scale = x / x.std(), 1.0
    else:
        free, scale = point, length / math.sqrt(e.shape[1])
    free = free.clone().requires_grad_()
    optimiser = torch.optim.Adam([free], lr=float(rate * scale), eps=1e-12)

    def embedding(step):
        if kind == "vocabulary":
            return free @ e, None
        if kind == "softmax":
            shares = torch.softmax(free / cooled ** (step / steps), dim=0)
            return shares @ e, shares
        if kind == "sphere":
            return length * free / free.norm(), None
        return free, None

    objective = mean_of([group], model)
    for step in range(steps):
        for part in optimiser.param_groups:
            part["lr"] = float(rate * scale) * (1 + math.cos(math.pi * step / steps)) / 2
        optimiser.zero_grad()
        at, shares = embedding(step)
        value = objective.value(model.activations(at[None], objective.neurons))[0]
        off = 0.0
        if penalty == "l2_e":
            off = (at.norm() / length) ** 2
        elif penalty == "l2_x":
            off = at @ torch.linalg.solve(gram, at)
            off = off / torch.stack([w @ torch.linalg.solve(gram, w) for w in words]).mean()
        elif penalty == "nearest_word":
            off = 1 - torch.stack([w @ at / w.norm() / at.norm() for w in words]).max()
        elif penalty == "entropy":
            off = -(shares * shares.log()).sum() / math.log(len(e))
        elif penalty == "mahalanobis":
            centred = words - words.mean(dim=0)
            covariance = centred.T @ centred / (len(words) - 1)
            away = at - words.mean(dim=0)
            off = away @ torch.linalg.solve(covariance, away) / len(at)
        (-(value - strength * off)).backward()
        optimiser.step()
    return embedding(steps)[0].detach()


@pytest.mark.parametrize("kind", ["embedding", "vocabulary", "sphere", "softmax"])
def test_every_parametrisation_ascends_as_torchs_adam_does(model, kind):
    found = ascend(model, parametrisation=kind, rate=0.1)
    for row, group in enumerate(GROUPS):
        expected = literal_adam(model, group, starts(model)[row], 25, kind, 0.1)
        torch.testing.assert_close(found.embedding[row], expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    ("penalty", "kind"),
    [("l2_e", "embedding"), ("l2_x", "embedding"), ("nearest_word", "embedding")]
    + [("mahalanobis", "sphere"), ("entropy", "softmax")],
)
def test_every_penalty_is_taken_off(model, penalty, kind):
    options = {"parametrisation": kind, "rate": 0.1, "penalty": penalty, "strength": 0.5}
    found = ascend(model, **options)
    plain = ascend(model, parametrisation=kind, rate=0.1)
    for row, group in enumerate(GROUPS):
        start = starts(model)[row]
        expected = literal_adam(model, group, start, 25, kind, 0.1, penalty, 0.5)
        torch.testing.assert_close(found.embedding[row], expected, rtol=1e-6, atol=1e-8)
    assert not torch.allclose(found.embedding, plain.embedding, atol=1e-3)


def test_penalties_are_measured_by_the_words(model):
    words = Words(model.word_embeddings, CANDIDATES)
    at = Point(words.vectors)
    lengths = words.vectors.norm(dim=1)
    expected = (lengths**2 / lengths.mean() ** 2).mean()
    torch.testing.assert_close(PENALTIES["l2_e"](at, words).mean(), expected)
    one = torch.tensor(1.0, dtype=torch.float64)
    torch.testing.assert_close(PENALTIES["l2_x"](at, words).mean(), one)
    n = len(CANDIDATES)
    torch.testing.assert_close(PENALTIES["mahalanobis"](at, words).mean(), one * (n - 1) / n)
    assert PENALTIES["nearest_word"](at, words).abs().max() < 1e-12
    alike = torch.full((1, 400), 1 / 400, dtype=torch.float64)
    mixed = Point(alike @ model.word_embeddings, alike)
    torch.testing.assert_close(PENALTIES["entropy"](mixed, words), one[None])
    alone = torch.eye(400, dtype=torch.float64)[:1]
    assert PENALTIES["entropy"](Point(alone, alone), words).item() == 0


def test_shares_that_underflow_leave_the_slope_of_the_entropy_finite(model):
    words = Words(model.word_embeddings, CANDIDATES)
    free = torch.zeros(1, 400)
    free[0, :3] = torch.tensor([500.0, 500.0, 499.0])
    free.requires_grad_()
    shares = torch.softmax(free, dim=1)
    assert (shares == 0).sum() == 397
    (slope,) = torch.autograd.grad(PENALTIES["entropy"](Point(shares, shares), words).sum(), free)
    assert slope.isfinite().all() and slope[0, :2].max() < 0 < slope[0, 2]


@pytest.mark.parametrize("kind", PARAMETRISATIONS)
def test_an_optimum_does_not_depend_on_its_batch(model, kind):
    groups = GROUPS * 2
    options = {"groups": groups, "start": starts(model, len(groups)), "steps": 12, "rate": 0.1}
    whole = ascend(model, parametrisation=kind, **options)
    for batch in (1, 4):
        parts = ascend(model, parametrisation=kind, batch=batch, **options)
        torch.testing.assert_close(parts.embedding, whole.embedding, rtol=1e-7, atol=1e-9)


def test_noise_differs_by_start_and_ends_with_the_ascent(model):
    words = Words(model.word_embeddings, CANDIDATES)
    solver = Adam(words, parametrisation="gumbel_softmax")
    state = solver.begin(starts(model, 2), torch.tensor([5, 5]))
    still = Adam(words, parametrisation="softmax")
    assert not torch.allclose(solver.look(state), still.look(state))
    first = solver.look(state)
    state["taken"] = state["taken"] + 1
    assert not torch.allclose(solver.look(state), first)
    state["taken"] = torch.full((2,), 5)
    torch.testing.assert_close(solver.look(state), still.look(state))
    assert len(set(state["key"].tolist())) == 2


@pytest.mark.parametrize("every", [4, 7])
def test_projection_ends_at_a_word(model, every):
    found = ascend(model, steps=25, project_every=every, rate=0.1)
    away = (found.embedding[:, None] - model.word_embeddings[CANDIDATES]).norm(dim=2)
    assert away.min(dim=1).values.max() < 1e-12


def test_frank_wolfe_stays_in_the_hull_and_goes_to_the_steepest_word(model):
    words = model.word_embeddings[CANDIDATES]
    objectives, point = mean_of(GROUPS, model), None
    for steps in range(1, 5):
        settings = AscentSettings(solver="frank_wolfe", steps=steps)
        found = run_ascent(model, objectives, starts(model), settings, candidates=CANDIDATES)
        if point is None:  # the first step leaves the start altogether
            length = words.norm(dim=1).mean()
            point = length * starts(model) / starts(model).norm(dim=1, keepdim=True)
            seen = [point]
        _, gradient = objectives.value_and_gradient(model, seen[-1])
        best = torch.stack(
            [words[max(range(len(words)), key=lambda w: g @ words[w])] for g in gradient]
        )
        share = 2 / (steps - 1 + 2)
        seen.append(seen[-1] + share * (best - seen[-1]))
        values = torch.stack([objectives.value_and_gradient(model, at)[0] for at in seen])
        torch.testing.assert_close(found.activation, values.max(dim=0).values)
    # Of at most as many words as steps.
    mixtures = np.linalg.lstsq(words.numpy().T, seen[-1].numpy().T, rcond=None)[1]
    assert mixtures.size == 0 or mixtures.max() < 1e-9


def test_the_best_word_is_brute_forces(model):
    objectives = mean_of(GROUPS, model)
    word, activation = try_words(model, objectives, CANDIDATES, top=9, chunk=7)
    e = model.word_embeddings[CANDIDATES]
    for row, group in enumerate(GROUPS):
        one = mean_of([group], model)
        values = [
            float(one.value(model.activations(e[i : i + 1], one.neurons))) for i in range(len(e))
        ]
        order = np.argsort(values)[::-1][:9]
        np.testing.assert_allclose(activation[row], np.array(values)[order], rtol=1e-12)
        assert word[row].tolist() == CANDIDATES[order.copy()].tolist()
    some = try_words(model, objectives, CANDIDATES[:5], top=9)
    assert some.id.shape == (len(GROUPS), 5)


def test_activations_by_words_are_those_of_each_word_alone(model):
    objectives = mean_of(GROUPS, model)
    found = by_words(model, objectives, CANDIDATES, chunk=7)
    assert found.shape == (len(CANDIDATES), len(GROUPS))
    for place, word in enumerate(CANDIDATES):
        alone = objectives.value(
            model.activations(
                model.word_embeddings[word].repeat(len(GROUPS), 1), objectives.neurons
            )
        )
        torch.testing.assert_close(found[place], alone, rtol=1e-12, atol=1e-12)


def test_several_free_positions_ascend_as_the_vocabulary_does():
    """Plain gradient ascent on two vocabulary vectors, written out, through the whole model."""
    model, _ = load_tiny("tiny-deep", context=[None, None], place=2)
    group, rate, steps = GROUPS[0], 3.0, 6
    x = torch.randn(2, 400, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    start = (x @ model.word_embeddings).reshape(1, -1)
    settings = AscentSettings(steps=steps, options={"rate": rate})
    found = run_ascent(model, mean_of([group], model), start, settings)
    for _ in range(steps):
        x = x.detach().requires_grad_()
        one = mean_of([group], model)
        at = (x @ model.word_embeddings).reshape(1, -1)
        value = one.value(model.activations(at, one.neurons)).sum()
        (gradient,) = torch.autograd.grad(value, x)
        x = x + rate * gradient
    expected = (x @ model.word_embeddings).detach().reshape(1, -1)
    torch.testing.assert_close(found.embedding, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("solver", ["adam", "frank_wolfe"])
def test_other_solvers_refuse_several_positions(solver):
    model, _ = load_tiny("tiny-deep", context=[None, None])
    with pytest.raises(ValueError, match=f"solver {solver} moves one free position, not 2"):
        run_ascent(
            model, mean_of(GROUPS, model), starts(model).repeat(1, 2), AscentSettings(solver)
        )
