"""Ascent is the paper's protocol, exactly, and does not care how the work was cut."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import reference
from ascents import GROUPS, SAME, SOLVERS, ascend, assert_close, starts_for
from paths import DATA
from textualization import registry
from textualization.analysis.similarity import nearest_words
from textualization.ascent.loop import AscentSettings, recorded_steps, run_ascent
from textualization.ascent.objectives import mean_of
from textualization.ascent.starts import optimum_vector
from textualization.models.conversion import convert
from textualization.models.transformer import FrozenTransformer
from tiny import FRAME, load_tiny


@pytest.mark.parametrize("rate", [1.0, 100.0, 1001.0])
def test_ascent_is_the_literal_vocabulary_space_loop(tiny, rate):
    frozen, whole = tiny
    x0, start = starts_for(frozen, len(GROUPS))
    found = ascend(frozen, GROUPS, start, steps=100, options={"rate": rate})
    words = whole.embeddings.word_embeddings.weight
    # The vocabulary vector itself can be had back.
    recovered = optimum_vector(x0.numpy(), start, found.embedding, words)
    for row, group in enumerate(GROUPS):
        x, curve = reference.vocabulary_ascent(whole, group, x0[row], 100, rate, FRAME)
        e = x @ words
        assert torch.linalg.norm(found.embedding[row] - e) <= 1e-9 * torch.linalg.norm(e)
        assert np.linalg.norm(recovered[row] - x.numpy()) <= 1e-9 * torch.linalg.norm(x)
        assert found.activation[row].item() == pytest.approx(curve[-1], rel=1e-9)
        np.testing.assert_allclose(
            found.curve[:, row], np.array(curve)[found.steps], rtol=1e-8, atol=1e-10
        )
    assert found.taken.tolist() == [100] * len(GROUPS)
    assert found.finite.all() and not found.dead.any() and not found.converged.any()


def test_float32_ends_at_the_words_of_the_float64_loop():
    frozen, whole = load_tiny("tiny-wide", dtype=torch.float32)
    whole = whole.double()
    x0, start = starts_for(frozen, len(GROUPS), torch.float32)
    found = ascend(frozen, GROUPS, start, steps=100)
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


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_optimum_does_not_depend_on_its_batch_or_its_place_in_it(tiny, solver):
    frozen, _ = tiny
    groups = GROUPS * 3
    _, start = starts_for(frozen, len(groups))
    together = ascend(frozen, groups, start, steps=60, solver=solver)
    order = torch.randperm(len(groups), generator=torch.Generator().manual_seed(1))
    shuffled = ascend(frozen, [groups[i] for i in order], start[order], steps=60, solver=solver)
    within = {"rtol": SAME[solver], "atol": SAME[solver]}
    torch.testing.assert_close(shuffled.embedding, together.embedding[order], **within)
    torch.testing.assert_close(shuffled.curve, together.curve[:, order], rtol=1e-9, atol=1e-9)
    for row in (0, 5, len(groups) - 1):
        alone = ascend(frozen, groups[row : row + 1], start[row : row + 1], steps=60, solver=solver)
        torch.testing.assert_close(alone.embedding[0], together.embedding[row], **within)
        torch.testing.assert_close(alone.curve[:, 0], together.curve[:, row], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("stop", [{}, {"tolerance": 0.002, "window": 4}], ids=["all", "stopping"])
def test_refilling_a_batch_finds_the_optima_of_all_together(tiny, solver, stop):
    frozen, _ = tiny
    groups = GROUPS * 3
    _, start = starts_for(frozen, len(groups))
    # Without stopping, few enough steps that L-BFGS is still on its way.
    settings = {"steps": 40 if stop else 10, "solver": solver} | stop
    together = ascend(frozen, groups, start, **settings)
    assert (len(set(together.taken.tolist())) > 1) == bool(stop)
    for batch in (2, 3, 7, 100):
        assert_close(ascend(frozen, groups, start, batch=batch, **settings), together)


@pytest.mark.parametrize("solver", registry.SOLVERS)
@pytest.mark.parametrize("batch", [2, None])
def test_objectives_with_numbers_of_steps_of_their_own_end_as_each_would_alone(tiny, solver, batch):
    frozen, _ = tiny
    groups = GROUPS * 3
    _, start = starts_for(frozen, len(groups))
    steps = torch.tensor([12, 0, 3, 7] * len(groups))[: len(groups)]
    objectives, settings = mean_of(groups, frozen), AscentSettings(solver, options={})
    together = run_ascent(frozen, objectives, start, settings, batch, steps=steps)
    assert together.taken.tolist() == steps.tolist()
    for count in (0, 3, 7, 12):
        rows = torch.nonzero(steps == count)[:, 0]
        settings = AscentSettings(solver, count, options={})
        found = run_ascent(frozen, objectives.rows(rows), start[rows], settings)
        within = {"rtol": SAME.get(solver, 1e-9), "atol": SAME.get(solver, 1e-9)}
        torch.testing.assert_close(together.embedding[rows], found.embedding, **within)
        torch.testing.assert_close(together.activation[rows], found.activation, rtol=1e-9, atol=0)
        recorded = np.isin(together.steps, found.steps)
        assert recorded.sum() == len(found.steps)
        curve = together.curve[recorded][:, rows]
        torch.testing.assert_close(curve, found.curve, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("batch", [2, 7])
def test_refilling_a_batch_of_lbfgs_ends_at_the_same_tops(tiny, batch):
    frozen, _ = tiny
    groups = GROUPS * 3
    _, start = starts_for(frozen, len(groups))
    together = ascend(frozen, groups, start, 50, solver="lbfgs")
    found = ascend(frozen, groups, start, 50, batch=batch, solver="lbfgs")
    assert_close(found, together, of_embedding=SAME["lbfgs"])


def test_the_deepest_objectives_ascend_first(tiny, monkeypatch):
    frozen, _ = tiny
    groups = [[("output", layer, 0)] for layer in (1, 2, 1, frozen.layers, 1, 2)]
    _, start = starts_for(frozen, len(groups))
    whole, depths = frozen.activations, []

    def noted(inputs, neurons, reaching):
        depths.append(max(tap.layer for tap in neurons))
        return whole(inputs, neurons, reaching)

    monkeypatch.setattr(frozen, "activations", noted)
    ascend(frozen, groups, start, 4, batch=1)
    layers = sorted((group[0][1] for group in groups), reverse=True)
    assert depths == [layer for layer in layers for _ in range(5)]


class Bowl:
    """Upside down: -‖e‖², whose maximum a step that is too long passes ever farther."""

    def rows(self, rows):
        return self

    def depth(self):
        return torch.ones(1)

    def value_and_gradient(self, model, inputs):
        return -inputs.square().sum(dim=1), -2 * inputs


def test_the_papers_ascent_ends_at_its_last_point_however_far_it_fell():
    words = torch.eye(3, dtype=torch.float64)
    plane = SimpleNamespace(device="cpu", dtype=torch.float64, gram=words.T @ words, length=1)
    start = torch.tensor([[1.0, -2.0, 2.0]], dtype=torch.float64)
    found = run_ascent(plane, Bowl(), start, AscentSettings(steps=3, options={"rate": 1.25}))
    # Every step multiplies e by 1 - 2 · 1.25.
    torch.testing.assert_close(found.embedding, -3.375 * start)
    assert found.curve[:, 0].tolist() == pytest.approx([-9 * 2.25**n for n in range(4)])
    assert found.activation.item() == pytest.approx(-9 * 2.25**3)


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_ascent_stops_when_a_window_gained_too_little(tiny, solver):
    frozen, _ = tiny
    groups, steps, tolerance, window = GROUPS * 2, 80, 0.003, 5
    _, start = starts_for(frozen, len(groups))
    # More points than steps: the whole curve.
    settings = {"steps": steps, "solver": solver, "recorded": 3000}
    whole = ascend(frozen, groups, start, **settings)
    assert whole.steps.tolist() == list(range(steps + 1))
    found = ascend(frozen, groups, start, tolerance=tolerance, window=window, **settings)
    for row, curve in enumerate(whole.curve.T.tolist()):
        ends = (
            step
            for step in range(window, steps + 1, window)
            if curve[step] - curve[step - window] < tolerance * abs(curve[step])
        )
        end = next(ends, None)
        assert found.converged[row] == (end is not None)
        end = steps if end is None else end
        assert found.taken[row] == end
        assert found.activation[row].item() == pytest.approx(curve[end], rel=1e-9)
        expected = curve[: end + 1] + [curve[end]] * (steps - end)
        np.testing.assert_allclose(found.curve[:, row], expected, rtol=1e-9)
    assert len(set(found.taken.tolist())) > 1
    assert found.finite.all() and not found.dead.any()


def test_without_a_tolerance_no_ascent_stops_however_little_it_gains(tiny):
    frozen, _ = tiny
    _, start = starts_for(frozen, len(GROUPS))
    found = ascend(frozen, GROUPS, start, 50, options={"rate": 1e-30}, tolerance=0.0, window=1)
    assert found.taken.tolist() == [50] * len(GROUPS)
    assert not found.converged.any()
    stopped = ascend(frozen, GROUPS, start, 50, options={"rate": 1e-30}, tolerance=1e-9, window=3)
    assert stopped.taken.tolist() == [3] * len(GROUPS)
    assert stopped.converged.all()


def test_no_steps_are_an_evaluation_of_the_start(tiny):
    frozen, whole = tiny
    _, start = starts_for(frozen, 1)
    for solver in SOLVERS:
        found = ascend(frozen, GROUPS[:1], start, steps=0, solver=solver)
        value = reference.activations(whole, start, "output", 1, FRAME)[0, 3].item()
        assert found.activation.item() == pytest.approx(value, rel=1e-10)
        torch.testing.assert_close(found.embedding, start, rtol=1e-14, atol=0)
        assert found.steps.tolist() == [0] and found.curve.tolist() == [found.activation.tolist()]


def dying(name="tiny-wide"):
    """A model in which ReLU keeps neuron 7 of every intermediate layer silent, whatever is read."""
    tensors, facts = convert(DATA / name)
    for layer in range(1, int(facts["layers"]) + 1):
        tensors[f"block.{layer}.intermediate.bias"][7] = -1e3
    return FrozenTransformer(tensors, facts | {"activation": "relu"}, dtype=torch.float64)


@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_dead_neuron_is_flagged_and_stops_at_once(solver, batch):
    frozen = dying()
    groups = [*GROUPS, [("intermediate", 1, 7)], [("output", 1, 2)]]
    dead = [group == [(group[0][0], group[0][1], 7)] for group in groups]
    assert sum(dead) == 2
    _, start = starts_for(frozen, len(groups))
    found = ascend(frozen, groups, start, 30, batch=batch, solver=solver)
    assert found.dead.tolist() == dead
    assert found.finite.all() and not found.converged.any()
    assert found.taken.tolist() == [0 if d else 30 for d in dead]
    dead = torch.tensor(dead)
    torch.testing.assert_close(found.embedding[dead], start[dead], rtol=1e-14, atol=0)
    assert (found.activation[dead] == 0).all() and (found.curve[:, dead] == 0).all()
    living = [group for group, d in zip(groups, dead, strict=True) if not d]
    alone = ascend(frozen, living, start[~dead], 30, solver=solver)
    within = {"rtol": SAME[solver], "atol": SAME[solver]}
    torch.testing.assert_close(found.embedding[~dead], alone.embedding, **within)
    torch.testing.assert_close(found.curve[:, ~dead], alone.curve, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("batch", [None, 2, 3])
@pytest.mark.parametrize("solver", SOLVERS)
def test_what_is_never_finite_is_flagged_and_keeps_its_start(tiny, solver, batch):
    frozen, _ = tiny
    _, start = starts_for(frozen, len(GROUPS))
    start[1, 0] = float("nan")
    others = [0, 2, 3]
    found = ascend(frozen, GROUPS, start, 20, batch=batch, solver=solver)
    alone = ascend(frozen, [GROUPS[i] for i in others], start[others], 20, solver=solver)
    assert found.finite.tolist() == [True, False, True, True]
    assert found.taken.tolist() == [20, 0, 20, 20]
    assert not found.dead.any()
    within = {"rtol": SAME[solver], "atol": SAME[solver]}
    torch.testing.assert_close(found.embedding[others], alone.embedding, **within)
    torch.testing.assert_close(found.embedding[1], start[1], equal_nan=True)
    assert found.activation[1].isnan() and found.curve[:, 1].isnan().all()


@pytest.mark.parametrize("part", ["value", "gradient"])
def test_what_overflows_midway_keeps_the_last_point_that_was_wholly_finite(tiny, monkeypatch, part):
    frozen, _ = tiny
    # In the order in which they ascend: deepest first.
    groups = [GROUPS[1], GROUPS[0]]
    _, start = starts_for(frozen, 2)
    settings = {"options": {"rate": 0.5}, "recorded": 1000}
    # The eighth evaluation is that after seven moves.
    good = ascend(frozen, groups, start, steps=6, **settings)
    on = ascend(frozen, groups, start, steps=20, **settings)
    whole, calls = frozen.activations, []

    def broken(inputs, neurons, reaching):
        calls.append(1)
        found = whole(inputs, neurons, reaching)
        if len(calls) != 8:
            return found
        # inf; or zero, with a slope that is not finite.
        wrong = float("inf") if part == "value" else (0 * inputs[1:, :1]).sqrt()
        return {t: torch.cat([a[:1], a[1:] + wrong]) for t, a in found.items()}

    monkeypatch.setattr(frozen, "activations", broken)
    found = ascend(frozen, groups, start, steps=20, **settings)
    assert found.finite.tolist() == [True, False]
    torch.testing.assert_close(found.embedding[1], good.embedding[1], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(found.activation[1], good.activation[1], rtol=1e-12, atol=0)
    torch.testing.assert_close(found.curve[:7, 1], good.curve[:, 1], rtol=1e-12, atol=0)
    assert (found.curve[6:, 1] == found.activation[1]).all()
    torch.testing.assert_close(found.embedding[0], on.embedding[0], rtol=1e-12, atol=1e-12)


def test_progress_counts_steps_taken_and_left(tiny):
    frozen, _ = tiny
    groups = [[("output", 1, i)] for i in range(5)]
    _, start = starts_for(frozen, 5)
    calls = []
    found = ascend(
        frozen, groups, start, 10, batch=2, recorded=100, progress=lambda *call: calls.append(call)
    )
    expected, taken = [], 0
    for together in ([0, 1], [2, 3], [4]):
        for step in range(11):
            now = taken + step * len(together)
            expected.append((now, 50 - now, float(found.curve[step, together].mean())))
        taken += 10 * len(together)
    assert [call[:2] for call in calls] == [call[:2] for call in expected]
    assert [c[2] for c in calls] == pytest.approx([c[2] for c in expected], rel=1e-9)


def test_progress_takes_off_what_an_early_stop_spares(tiny):
    frozen, _ = tiny
    _, start = starts_for(frozen, len(GROUPS))
    calls, stop = [], {"tolerance": 0.01, "window": 5}
    found = ascend(
        frozen,
        GROUPS,
        start,
        60,
        batch=2,
        solver="lbfgs",
        progress=lambda *c: calls.append(c),
        **stop,
    )
    taken, left, _ = zip(*calls, strict=True)
    whole = [t + rest for t, rest in zip(taken, left, strict=True)]
    assert whole[0] == 240 and whole == sorted(whole, reverse=True) and whole[-1] < 240
    assert list(taken) == sorted(taken) and taken[-1] == found.taken.sum()


def test_no_optimum_exceeds_its_ceiling_and_every_one_rises(tiny):
    frozen, _ = tiny
    rows = [[("output", layer, i)] for layer in range(1, frozen.layers + 1) for i in range(8)]
    rows += [
        [("intermediate", layer, i)] for layer in range(1, frozen.layers + 1) for i in range(8)
    ]
    rows += [[n for [n] in rows[i::5]] for i in range(5)]
    objectives = mean_of(rows, frozen)
    _, start = starts_for(frozen, len(rows))
    for solver, steps in (("paper", 300), ("lbfgs", 60)):
        found = run_ascent(frozen, objectives, start, AscentSettings(solver, steps))
        ceiling = objectives.ceiling(frozen)
        assert (found.activation <= ceiling + 1e-9).all()
        assert (found.curve <= ceiling + 1e-9).all()
        # On average far above the start, and near what geometry allows in layer 1.
        assert (found.activation > found.curve[0]).double().mean() > 0.95
        assert (found.activation[:8] / ceiling[:8]).median() > 0.8


def test_five_small_steps_improve_every_objective(tiny):
    frozen, _ = tiny
    _, start = starts_for(frozen, len(GROUPS))
    found = ascend(frozen, GROUPS, start, steps=5, options={"rate": 0.05})
    assert (found.curve.diff(dim=0) > 0).all()


def test_an_unknown_solver_is_refused_by_name(tiny):
    _, start = starts_for(tiny[0], 1)
    with pytest.raises(
        ValueError, match="'newton' .known: paper, lbfgs, sphere, adam, frank_wolfe"
    ):
        ascend(tiny[0], GROUPS[:1], start, steps=1, solver="newton")


@pytest.mark.parametrize(
    ("solver", "unknown", "known"),
    [
        ("paper", ["momentum", "angle"], "rate"),
        ("sphere", ["rate"], "angle, momentum, power"),
        ("lbfgs", ["gram"], "angle, memory, power"),
    ],
)
def test_options_that_a_solver_lacks_are_refused_with_those_it_has(tiny, solver, unknown, known):
    _, start = starts_for(tiny[0], 1)
    says = f"solver {solver} has no option {', '.join(sorted(unknown))} .options: {known}.$"
    with pytest.raises(ValueError, match=says):
        ascend(tiny[0], GROUPS[:1], start, 1, solver=solver, options=dict.fromkeys(unknown, 1.0))


def test_recorded_steps_begin_at_0_and_end_at_the_last():
    assert recorded_steps(0, 10).tolist() == [0]
    steps = recorded_steps(5000, 40)
    assert steps[0] == 0 and steps[-1] == 5000 and (np.diff(steps) > 0).all()
