"""Experiments: blocks unfold into conditions; what cannot be is refused, by name."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from settings import changed, complaints, shipped
from study.config.experiments import conditions, resolved
from study.config.variables import DEFAULTS


def experiment(**vary):
    nulls = {"models": [], "replicates": 1}
    return {"vary": vary, "base": {"steps": 5}, "nulls": nulls, "reference": "plain"}


def test_a_block_stands_for_all_combinations():
    found = conditions(
        experiment(plain={}, grid={"rate": [1, 2], "init_scale": [0.1, 1], "seed": 3})
    )
    assert list(found) == ["plain", "grid"]
    assert found["plain"] == {"plain": {"steps": 5}}
    assert list(found["grid"]) == [
        "grid rate=1 init_scale=0.1",
        "grid rate=1 init_scale=1",
        "grid rate=2 init_scale=0.1",
        "grid rate=2 init_scale=1",
    ]
    last = {"steps": 5, "rate": 2, "init_scale": 1, "seed": 3}
    assert found["grid"]["grid rate=2 init_scale=1"] == last


def test_a_block_overrides_the_base_and_null_takes_it_out():
    found = conditions(experiment(more={"steps": 9}, gone=None))
    assert found == {"more": {"more": {"steps": 9}}}


def test_every_place_of_every_length():
    found = conditions(experiment(several={"length": [1, 3], "place": "each"}))["several"]
    places = [(c["length"], c["place"]) for c in found.values()]
    assert places == [(1, 1), (3, 1), (3, 2), (3, 3)]
    assert len(found) == len(set(found))


def test_what_nothing_says_is_the_studys():
    settings = shipped()
    found = resolved({}, settings)
    protocol = found["protocol"]
    assert protocol["solver"] == "lbfgs"
    assert protocol["options"] == settings["ascent"]["lbfgs"]
    assert protocol["init"] == settings["ascent"]["init"] and protocol["seed"] == settings["seed"]
    assert (protocol["length"], protocol["place"], protocol["entries"]) == (1, 1, 0)
    assert found["selection"] == DEFAULTS["selection"]
    adam = resolved({"solver": "adam", "penalty": "l2_e", "strength": 2.0}, settings)
    options = settings["ascent"]["adam"] | {"penalty": "l2_e", "strength": 2.0}
    assert adam["protocol"]["options"] == options
    other = {"solver": "paper", "rate": 3, "init_kind": "uniform", "seed": 0, "steps": 7}
    other = resolved(other, settings)["protocol"]
    assert other["options"] == {"rate": 3} and other["steps"] == 7
    assert other["init"]["kind"] == "uniform" and other["seed"] == 0


def test_the_shipped_questions_are_declared_and_possible():
    names = [
        "parametrisation",
        "input_length",
        "robustness",
        "selection",
        "contexts",
        "decomposition",
        "explanation",
        "basis",
        "text",
    ]
    settings = changed(("run", names), ("corpus", "default"))
    assert list(settings["experiments"]) == names
    assert complaints(settings) == []


IMPOSSIBLE = [
    (
        {"parametrisation": "softmax"},
        "parametrisation softmax with solver paper, which supports vocabulary; take adam",
    ),
    ({"parametrisation": "convex_hull", "solver": "adam"}, "take frank_wolfe"),
    ({"solver": "adam", "penalty": "l2_e"}, "penalty and strength must be given together"),
    ({"solver": "adam", "strength": 1.0}, "penalty and strength must be given together"),
    ({"penalty": "l2_e", "strength": 1.0}, "penalty with solver paper, which has no such option"),
    (
        {"solver": "adam", "penalty": "entropy", "strength": 1.0},
        "penalty entropy with parametrisation embedding, which has no mixture weights",
    ),
    (
        {"solver": "adam", "parametrisation": "softmax", "project_every": 3},
        "project_every with parametrisation softmax",
    ),
    ({"solver": "adam", "temperature_to": 0.1}, "temperature_to with parametrisation embedding"),
    (
        {"length": 2, "solver": "adam"},
        "length 2 with solver adam, which takes 1; take paper, lbfgs",
    ),
    ({"length": 2, "place": 3}, "place 3 of 2 free positions"),
    ({"rate": 3, "solver": "sphere"}, "rate with solver sphere, which has no such option"),
    ({"selection": "contrast"}, "selection contrast, which only groups of contexts support"),
    ({"activations": "in_context"}, "activations in_context of targets"),
    ({"power": 1.0}, "power with solver paper, which has no such option; take lbfgs or sphere"),
    ({"basis": "random", "activations": "in_context"}, "basis random with activations in_context"),
    ({"basis": "missing.safetensors"}, "basis: missing.safetensors cannot be read"),
]


@pytest.mark.parametrize(
    ("condition", "says"), IMPOSSIBLE, ids=[says[:40] for _, says in IMPOSSIBLE]
)
def test_an_impossible_condition_is_refused_by_name(condition, says):
    settings = changed(("run", ["parametrisation"]))
    settings["experiments"]["parametrisation"]["vary"]["mine"] = condition
    found = complaints(settings)
    assert found and all(
        line.startswith("experiments.parametrisation.vary.mine: ") for line in found
    )
    assert any(says in line for line in found)


WRONG = [
    ({"stepz": 3}, "'stepz' is not a variable (allowed: solver, steps"),
    (
        {"steps": 0},
        "steps: 0 is not valid (allowed: a whole number from 1 to 1000000, or a list of them)",
    ),
    ({"steps": 1.5}, "steps: 1.5 is not valid"),
    (
        {"strength": -1},
        "strength: -1 is not valid (allowed: a number from 0, to 1e+09, or a list of them)",
    ),
    ({"rate": 0}, "rate: 0 is not valid (allowed: a number above 0, to 1e+09, or a list of them)"),
    ({"solver": ["adam", "sgd"]}, "solver: 'sgd' is not valid (allowed: one of paper, lbfgs"),
    ({"length": True}, "length: True is not valid"),
    ({"rate": []}, "rate: [] is not valid"),
    (
        {"basis": "ica"},
        "basis: 'ica' is not valid (allowed: one of neurons, principal, random, differences, or a list "
        "of them; or the path of a .safetensors file)",
    ),
    ({"basis": 3}, "basis: 3 is not valid"),
    ({"power": 3.0}, "power: 3.0 is not valid (allowed: a number from 0, to 2, or a list of them)"),
    ({"dtype": "float16"}, "dtype: 'float16' is not valid (allowed: one of float32, float64"),
]


@pytest.mark.parametrize(("varied", "says"), WRONG, ids=[says[:30] for _, says in WRONG])
def test_a_wrong_value_is_refused_whether_the_experiment_is_run_or_not(varied, says):
    settings = changed()
    settings["experiments"]["robustness"]["vary"]["mine"] = varied
    [line] = complaints(settings)
    assert line.startswith("experiments.robustness.vary.mine: ") and says in line


def test_an_unknown_experiment_is_refused_by_name():
    [line] = complaints(changed(("run", ["singles", "robustnes"])))
    assert "'robustnes'" in line and "did you mean 'robustness'" in line


def test_an_experiment_needs_objectives_blocks_and_a_name_of_its_own():
    settings = changed()
    settings["experiments"]["mine"] = experiment(plain={})
    [line] = complaints(settings)
    assert line == "experiments.mine: lacks objectives (singles, groups or contexts)"
    settings["experiments"]["mine"] = experiment(plain=None) | {"singles": {"neurons": 1}}
    assert "experiments.mine.vary: it has no blocks (allowed: one or more)" in complaints(settings)
    settings["experiments"] = {"groups": settings["experiments"]["mine"]}
    [line] = complaints(settings)
    assert line.startswith("experiments: 'groups' is a built-in name")


def test_blocks_of_null_models_are_blocks():
    settings = changed()
    settings["experiments"]["robustness"]["nulls"]["blocks"] = ["stepz"]
    [line] = complaints(settings)
    assert line.startswith("experiments.robustness.nulls.blocks: 'stepz' is not a block")
    assert "did you mean 'steps'" in line


def test_the_reference_is_a_block():
    [line] = complaints(changed(("experiments.robustness.reference", "papers")))
    assert line.startswith("experiments.robustness.reference: 'papers' is not a block")
    assert "did you mean 'paper'" in line


def test_groups_larger_than_the_model_are_refused():
    settings = changed(("run", ["selection"]))
    settings["experiments"]["selection"]["groups"]["sizes"] = [385]
    [line] = complaints(settings)
    assert line.startswith("experiments.selection: ")
    assert "a group of 385 is more than the 384 output neurons" in line and "vary.layer" in line


def test_more_neurons_than_the_model_has_are_refused():
    settings = changed(("run", ["parametrisation"]))
    settings["experiments"]["parametrisation"]["singles"]["neurons"] = 385
    [line] = complaints(settings)
    assert line.startswith("experiments.parametrisation.singles.neurons: 385 is more than the 384")


def test_a_basis_needs_enough_words_and_rows_of_the_models_width(tmp_path):
    settings = changed(("run", ["basis"]), ("nulls.words", 384))
    [line] = complaints(settings)
    assert line.startswith(
        "experiments.basis.vary.principal: basis principal of 384 output neurons"
    )
    assert "nulls.words: 384 (allowed: 385 or more, or all)" in line
    path = tmp_path / "rows.safetensors"
    settings = changed(("run", ["basis"]))
    settings["experiments"]["basis"]["vary"]["mine"] = {"basis": str(path)}
    for rows, says in (
        (
            {"output/7": np.ones((9, 384))},
            "has no tensor of a layer (allowed: output/1 to output/6)",
        ),
        ({"output/1": np.ones((9, 16))}, "output/1 has the shape (9, 16) (allowed: (k, 384))"),
        ({"output/1": np.ones((200, 384))}, "a group of 250 is more than the 200 rows"),
        ({"output/1": np.ones((200, 384)), "output/2": np.ones((50, 384))}, None),
    ):
        save_file(rows, path)
        found = complaints(settings)
        assert len(found) == (says is not None)
        assert not found or found[0].startswith("experiments.basis.vary.mine: ")
        assert not found or says in found[0]
    path.write_bytes(b"\xff" * 20)
    [line] = complaints(settings)
    assert f"{path} cannot be read" in line
    settings["experiments"]["basis"]["contexts"] = settings["experiments"]["contexts"]["contexts"]
    assert any(
        "basis random with contexts; take singles or groups" in c for c in complaints(settings)
    )


def test_restarts_and_further_statistics_are_checked():
    settings = changed(("run", ["basis"]), ("experiments.basis.singles.restarts", 0))
    [line] = complaints(settings)
    assert line.startswith("experiments.basis.singles.restarts: ")
    settings = changed(("run", ["basis"]), ("experiments.basis.statistics", ["utilization"]))
    [line] = complaints(settings)
    assert "share_of_ceiling" in line


def test_a_conditions_power_and_dtype_are_its_own():
    settings = changed(("ascent.lbfgs.power", 0.5), ("ascent.dtype", "float32"))
    base = settings["experiments"]["basis"]["base"]
    found = resolved(base, settings)["protocol"]
    assert found["options"]["power"] == 1.0 and found["dtype"] == "float64"
    assert resolved({}, settings)["protocol"]["options"]["power"] == 0.5
    assert resolved({}, settings)["protocol"]["dtype"] == "float32"
    assert resolved({"basis": "random"}, settings)["basis"] == "random"
    assert resolved({}, settings)["basis"] == "neurons"
