"""Rough products first, exact ones last: as high as exact products alone, and interruptible too."""

import pytest
import torch

from ascents import GROUPS, SOLVERS, assert_identical, climb, starts_for
from conftest import load_tiny
from test_snapshots import until_finished
from textualization.ascent import AscentSettings, ascend_mixed
from textualization.objectives import mean_of
from textualization.snapshots import Snapshots
from textualization.transformer import SITES, Tap

STEPS = {"paper": 300, "sphere": 150, "lbfgs": 60}


@pytest.fixture(scope="module")
def models():
    """(float32, float32 with products in bfloat16)."""
    return [load_tiny("tiny-wide", torch.float32, products=p)[0] for p in (None, "bfloat16")]


def climb_mixed(
    models, groups, start, polish=0.1, batch=None, snapshots=None, progress=None, **how
):
    settings = AscentSettings(**how)
    objectives = mean_of(groups, models[0])
    return ascend_mixed(*models, objectives, start, settings, polish, batch, snapshots, progress)


def test_bfloat16_products_are_off_by_what_bfloat16_rounds(models):
    exact, _ = load_tiny("tiny-wide")
    x = exact.word_embeddings
    for tap in (Tap(site, layer) for site in SITES for layer in (1, 2)):
        expected = exact.activations(x, [tap])[tap]
        single, rough = (m.activations(x.float(), [tap])[tap] for m in models)
        assert rough.dtype == torch.float32
        errors = [(a - expected).square().mean().sqrt() / expected.std() for a in (single, rough)]
        # bfloat16 keeps 8 bits, float32 24.
        assert errors[0] < 2**-20
        assert 2**-13 < errors[1] < 2**-7
        assert (rough - expected).abs().max() < 0.1 * expected.std()


def test_bfloat16_products_have_the_gradient_of_the_model(models):
    _, start = starts_for(models[0], len(GROUPS), torch.float32)
    objectives = mean_of(GROUPS, models[0])
    expected, found = (objectives.value_and_gradient(m, start)[1] for m in models)
    cosine = torch.nn.functional.cosine_similarity(found, expected)
    assert found.dtype == torch.float32
    assert (cosine > 0.999).all() and not torch.equal(found, expected)


@pytest.mark.parametrize("solver", SOLVERS)
def test_mixed_precision_ends_as_high_as_float32(models, solver):
    groups = [[("output", 2, i)] for i in range(12)] + GROUPS
    _, start = starts_for(models[0], len(groups), torch.float32)
    steps = STEPS[solver]
    found = climb_mixed(models, groups, start, solver=solver, steps=steps)
    single = climb(models[0], groups, start, steps, solver=solver)
    assert (found.activation >= 0.999 * single.activation).all()
    assert found.steps[0] == 0 and found.steps[-1] == steps
    assert (found.steps[1:] > found.steps[:-1]).all()
    assert found.curve.shape == (len(found.steps), len(groups))
    assert torch.equal(found.curve[-1], found.activation)
    assert (found.taken == steps).all() and found.finite.all() and not found.dead.any()
    # What it says it excites, the float32 model says too.
    again = climb(models[0], groups, found.embedding, 0)
    torch.testing.assert_close(again.activation, found.activation, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("polish", "exact"), [(0.25, 5), (0.01, 1), (0.99, 20)])
def test_the_last_share_of_the_steps_is_exact_and_never_none(models, monkeypatch, polish, exact):
    seen = {"exact": 0, "rough": 0}
    for name, model in zip(seen, models, strict=True):

        def counted(*asked, name=name, whole=model.activations):
            seen[name] += 1
            return whole(*asked)

        monkeypatch.setattr(model, "activations", counted)
    _, start = starts_for(models[0], len(GROUPS), torch.float32)
    found = climb_mixed(models, GROUPS, start, polish, steps=20)
    # The last point of either is evaluated too.
    assert seen == {"exact": exact + 1, "rough": 20 - exact + 1}
    assert found.steps[0] == 0 and found.steps[-1] == 20


def test_a_broken_row_is_flagged_after_both_stages(models):
    _, start = starts_for(models[0], len(GROUPS), torch.float32)
    start[2, 0] = float("nan")
    found = climb_mixed(models, GROUPS, start, batch=2, steps=20)
    assert found.finite.tolist() == [True, True, False, True]
    assert found.taken.tolist() == [20, 20, 0, 20]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("patience", [5, 17])
def test_mixed_ascents_interrupted_in_either_stage_end_bit_for_bit_alike(
    models, tmp_path, solver, patience
):
    _, start = starts_for(models[0], len(GROUPS), torch.float32)
    how = {"steps": 30, "polish": 0.4, "batch": 3, "tolerance": 0.002, "window": 4}
    how["solver"] = solver
    whole = climb_mixed(models, GROUPS, start, **how)
    stages = []

    def snapshots(stage):
        stages.append(stage)
        return Snapshots(tmp_path / f"{stage}.snapshot", f"{stage} mine", every=0)

    found, interruptions = until_finished(
        lambda progress: climb_mixed(
            models, GROUPS, start, snapshots=snapshots, progress=progress, **how
        ),
        patience,
    )
    # Every attempt begins with the rough stage, and the polish is reached only some times.
    assert stages.count("rough") == interruptions + 1 > stages.count("polish") > 1
    assert_identical(found, whole)


def test_tf32_is_on_while_multiplying_and_off_again():
    allowed = torch.backends.cuda.matmul.allow_tf32
    model, _ = load_tiny("tiny-wide", torch.float32, products="tf32")
    with pytest.raises(KeyError), model.multiplying():
        assert torch.backends.cuda.matmul.allow_tf32
        raise KeyError
    assert torch.backends.cuda.matmul.allow_tf32 == allowed
