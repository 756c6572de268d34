"""Conditions that ascend together find what each finds alone."""

import numpy as np
import pandas as pd
import pytest

import textualization as tx
from paths import DATA
from settings import changed
from study.config.experiments import conditions, resolved
from study.experiments.packing import ascend_together, packs
from textualization import registry
from textualization.ascent.protocol import Execution, Protocol, ascend_objectives

STEPS = [9, 2, 5]
NUMBERS = ("start", "embedding", "activation", "ceiling", "curve")


@pytest.fixture(scope="module")
def model():
    return tx.load(DATA / "tiny-deep", device="cpu")


@pytest.fixture(scope="module")
def objectives():
    groups = [[("output", 1, 3)], [("output", 3, 5)], [("output", 2, i) for i in range(4)]]
    return pd.DataFrame({"neurons": groups, "identity": [("a",), ("b",), ("c",)], "word": "river"})


@pytest.mark.parametrize("solver", registry.SOLVERS)
def test_optima_and_curves_are_those_of_each_number_of_steps_alone(model, objectives, solver):
    protocols = [
        Protocol(solver=solver, steps=steps, options={}, dtype="float64", recorded=4)
        for steps in STEPS
    ]
    rest = (Execution(device="cpu"), np.flatnonzero(model.candidates))
    together = list(ascend_together(model, objectives, protocols, *rest))
    assert len(together) == len(STEPS)
    for protocol, found in zip(protocols, together, strict=True):
        alone = ascend_objectives(model, objectives, protocol, *rest)
        assert found.steps.tolist() == alone.steps.tolist()
        assert found.taken.tolist() == alone.taken.tolist() == [protocol.steps] * len(objectives)
        for name in NUMBERS:
            pair = getattr(found, name), getattr(alone, name)
            np.testing.assert_allclose(*pair, rtol=1e-6, atol=1e-9, err_msg=name)
        assert (found.largest_entries == alone.largest_entries).all()
        pd.testing.assert_frame_equal(found.objectives, alone.objectives)


def test_only_conditions_that_differ_in_steps_alone_ascend_together():
    vary = {
        "paper": {"steps": [1, 5], "rate": [1, 100]},
        "z_score": {"steps": [5, 2], "selection": "z_score"},
        "length": {"steps": [5, 2], "length": 2},
        "text": {"solver": "coordinate", "length": 2, "steps": [5, 2]},
    }
    found = conditions({"base": {"solver": "paper"}, "reference": "paper", "vary": vary})
    every = {name: one for block in found.values() for name, one in block.items()}
    every = {name: resolved(one, changed()) for name, one in every.items()}
    together = packs(every)
    assert sorted(name for pack in together for name in pack) == sorted(every)
    sizes = {"paper": [2, 2], "z_score": [2], "length": [2], "text": [1, 1]}
    for block, expected in sizes.items():
        assert [len(pack) for pack in together if set(pack) & set(found[block])] == expected
    for pack in together:
        protocols = [condition["protocol"] for condition in pack.values()]
        assert len({protocol["options"].get("rate") for protocol in protocols}) == 1
        assert len({protocol["steps"] for protocol in protocols}) == len(pack)
