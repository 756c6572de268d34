"""A killed ascent job, started again: the output of one that was never killed."""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from ascents import GROUPS, ascend_to_file
from paths import DATA
from textualization.ascent import protocol
from textualization.ascent.solvers import SOLVERS
from textualization.models.conversion import convert

#: In a process of its own.
JOB = "import json, sys; from ascents import ascend_to_file as a; a(**json.loads(sys.argv[1]))"


def arguments(weights, solver, optima, **settings):
    """What a job is given: files, the fields of its `Protocol` and of its `Execution`."""
    options = {"paper": {"rate": 1001.0}}.get(solver, {})
    settings = {"solver": solver, "options": options, "steps": 150, "recorded": 20} | settings
    given = {
        "weights": str(weights),
        "optima": str(optima),
        "protocol": settings
        | {
            "dtype": "float32",
            "init": {"kind": "normal", "scale": 1.0},
            "seed": 5,
            "read": "word",
            "entries": 7,
        },
        "execution": {"device": "cpu", "threads": 1, "memory_mb": 8000, "snapshot_seconds": 0},
    }
    # As a process of its own would read them.
    return json.loads(json.dumps(given))


def steps_in(snapshot):
    """Steps that a snapshot's objectives have taken, all together."""
    try:
        with safe_open(snapshot, framework="pt") as file:
            return int(file.get_tensor("step").sum() + file.get_tensor("taken").sum())
    except (FileNotFoundError, SafetensorError):
        return 0


def kill_midway(given, snapshot, steps):
    """Run the job in a process of its own; SIGKILL it once its snapshot has come so far."""
    process = subprocess.Popen(
        [sys.executable, "-c", JOB, json.dumps(given)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        while steps_in(snapshot) < steps:
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.002)
    finally:
        process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not Path(given["optima"]).exists()
    assert steps <= steps_in(snapshot)


def assert_same_file(found, expected):
    found, expected = load_file(found), load_file(expected)
    assert set(found) == set(expected)
    for name in expected:
        assert torch.equal(found[name], expected[name]), name


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    tensors, facts = convert(DATA / "tiny-wide")
    path = tmp_path_factory.mktemp("model") / "frozen.safetensors"
    save_file(tensors, path, metadata=facts)
    return path


@pytest.mark.parametrize("solver", ["paper", "lbfgs"])
def test_a_killed_job_goes_on_to_the_same_bytes(weights, tmp_path, caplog, solver):
    killed, again, other = (tmp_path / name for name in ("killed", "again", "other"))
    optima, snapshot = killed / "optima.safetensors", "optima.safetensors.0.snapshot"
    given = arguments(weights, solver, optima)
    kill_midway(given, killed / snapshot, steps=100)
    shutil.copytree(killed, other)
    given["execution"]["snapshot_seconds"] = 300

    caplog.set_level(logging.INFO)
    whole = tmp_path / "whole.safetensors"
    ascend_to_file(**given | {"optima": str(whole)})
    assert "resuming" not in caplog.text and "refused" not in caplog.text
    ascend_to_file(**given)
    assert f"resuming from {killed / snapshot}" in caplog.text and "refused" not in caplog.text
    assert_same_file(optima, whole)
    assert optima.read_bytes() == whole.read_bytes()
    assert not list(killed.glob("*.snapshot"))

    caplog.clear()
    changed = arguments(weights, solver, other / optima.name, steps=149)
    ascend_to_file(**changed)
    assert f"refused (broken, or of other settings): {other / snapshot}" in caplog.text
    assert "resuming" not in caplog.text
    assert not list(other.glob("*.snapshot"))
    ascend_to_file(**changed | {"optima": str(again)})
    assert_same_file(other / optima.name, again)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 6},
        {"read": "cls"},
        {"entries": 8},
        {"init": {"kind": "uniform", "scale": 1.0}},
        {"dtype": "float64"},
        {"twin": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_snapshot_of_another_protocol_is_refused(weights, tmp_path, monkeypatch, caplog, change):
    given = arguments(weights, "paper", tmp_path / "o", steps=8)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        # After the last snapshot, before the output.
        patch.setattr(protocol, "optimum_vector", killed)
        ascend_to_file(**given)
    assert (tmp_path / "o.0.snapshot").exists()
    caplog.set_level(logging.INFO)
    ascend_to_file(**given | {"protocol": given["protocol"] | change})
    assert "refused" in caplog.text and "resuming" not in caplog.text


def test_how_a_job_runs_decides_nothing_and_refuses_nothing(weights, tmp_path, monkeypatch, caplog):
    given = arguments(weights, "sphere", tmp_path / "o", steps=8)
    ascend_to_file(**given | {"optima": str(tmp_path / "whole")})
    with monkeypatch.context() as patch, pytest.raises(TypeError):
        patch.setattr(protocol, "optimum_vector", None)
        ascend_to_file(**given)
    caplog.set_level(logging.INFO)
    execution = given["execution"] | {"memory_mb": 9000, "snapshot_seconds": 300}
    ascend_to_file(**given | {"execution": execution})
    assert "resuming from" in caplog.text
    assert_same_file(tmp_path / "o", tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o", "whole"]


def test_every_ascent_of_a_process_has_a_snapshot_of_its_own(tmp_path):
    execution = protocol.Execution(snapshots=str(tmp_path / "o"), snapshot_seconds=0)
    first, second = (execution.snapshots_for(name) for name in ("one", "other"))
    first.write({"a": torch.zeros(1)})
    second.write({"a": torch.ones(1)})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o.0.snapshot", "o.1.snapshot"]
    execution.remove_snapshots()
    assert not list(tmp_path.iterdir())


def test_without_a_place_for_snapshots_there_are_none(weights, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = arguments(weights, "paper", tmp_path / "o", steps=2)
    ascend_to_file(**given, snapshots=False)
    assert protocol.Execution().snapshots_for("mine") is None
    assert [path.name for path in tmp_path.iterdir()] == ["o"]


def test_a_job_without_the_memory_for_one_objective_says_so(weights, tmp_path):
    given = arguments(weights, "paper", tmp_path / "o")
    with pytest.raises(MemoryError, match="give the job more"):
        ascend_to_file(**given | {"execution": given["execution"] | {"memory_mb": 1}})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("broken", "fails"), [([0], False), ([0, 2], False), ([0, 1, 2], True)])
def test_ascents_that_mostly_break_off_are_no_result(
    tmp_path, weights, monkeypatch, caplog, broken, fails
):
    whole = protocol.draw_starts

    def drawn(seed, names, *args, **kwargs):
        x = whole(seed, names, *args, **kwargs)
        x[[row for row, (_, place) in enumerate(names) if place in broken]] = float("nan")
        return x

    monkeypatch.setattr(protocol, "draw_starts", drawn)
    given = arguments(weights, "paper", tmp_path / "optima.safetensors", steps=5)
    given["protocol"]["entries"] = 0
    if fails:
        with pytest.raises(ArithmeticError, match="3 of 4 ascents broke off.*ascent.rate"):
            ascend_to_file(**given)
        assert not (tmp_path / "optima.safetensors").exists()
    else:
        with caplog.at_level(logging.INFO):
            ascend_to_file(**given)
        assert f"{len(broken)} ascents broke off" in caplog.text
        finite = load_file(tmp_path / "optima.safetensors")["finite"].tolist()
        assert finite == [place not in broken for place in range(len(GROUPS))]


def test_a_job_without_an_objective_writes_optima_of_none(weights, tmp_path):
    given = arguments(weights, "paper", tmp_path / "o")
    ascend_to_file(**given, groups=[])
    assert len(load_file(tmp_path / "o")["activation"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["o"]


def with_twin(weights, folder, solver, **settings):
    """Optima, and those of their twins."""
    for twin in (False, True):
        given = arguments(weights, solver, folder / f"{twin}", twin=twin, **settings)
        given["protocol"] |= {"dtype": settings.get("dtype", "float32")}
        ascend_to_file(**given, snapshots=False)
    return (load_file(folder / f"{twin}") for twin in (False, True))


def apart(own, twin):
    """1 − cosine of each optimum and its twin."""
    one, other = (e["embedding"].double() for e in (own, twin))
    return 1 - torch.cosine_similarity(one, other)


def test_a_twin_begins_one_rounding_away_from_its_own(weights, tmp_path):
    own, twin = with_twin(weights, tmp_path, "paper", steps=2)
    one, other = own["start"].numpy(), twin["start"].numpy()
    up, down = np.nextafter(one, np.float32(np.inf)), np.nextafter(one, np.float32(-np.inf))
    assert ((other == up) | (other == down)).all() and (other == up).any() and (other == down).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_start_is_moved_in_the_ascents_own_dtype(weights, tmp_path, monkeypatch, dtype):
    begun, run_ascent = [], protocol.run_ascent

    def seen(model, means, start, *rest):
        begun.append(start.to(model.dtype))
        return run_ascent(model, means, start, *rest)

    monkeypatch.setattr(protocol, "run_ascent", seen)
    with_twin(weights, tmp_path, "paper", steps=1, dtype=dtype)
    one, other = begun
    assert one.dtype == getattr(torch, dtype)
    up, down = (torch.nextafter(one, torch.full_like(one, sign * torch.inf)) for sign in (1, -1))
    assert ((other == up) | (other == down)).all()


class Chaos:
    """The logistic map, entry by entry: in every step, a difference doubles."""

    keeps_best = False

    def begin(self, start, steps):
        return {"point": start.sigmoid()}

    def look(self, state):
        return state["point"]

    def move(self, state, value, gradient, done):
        return {"point": 4 * state["point"] * (1 - state["point"])}


def test_where_differences_double_a_twin_ends_elsewhere(weights, tmp_path, monkeypatch):
    monkeypatch.setitem(SOLVERS, "chaos", dataclass(Chaos))
    for steps, far in ((5, False), (200, True)):
        own, twin = with_twin(weights, tmp_path, "chaos", steps=steps, dtype="float64")
        assert ((apart(own, twin) > 0.05) == far).all()


def test_where_differences_shrink_a_twin_ends_where_its_own_does(weights, tmp_path):
    own, twin = with_twin(weights, tmp_path, "lbfgs", steps=60, dtype="float64")
    assert (apart(own, twin) < 1e-10).all()
