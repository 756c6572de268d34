"""A killed ascent job, started again: the output of one that was never killed."""

import json
import logging
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

import climbing
from ascents import GROUPS
from conftest import DATA
from textualization.freezing import freeze

SCRIPTS = Path(climbing.__file__).parent
JOB = """
import json, sys
sys.path.insert(0, sys.argv[1])
from climbing import climb
climb(**json.loads(sys.argv[2]))
"""


def arguments(weights, solver, products, optima, **settings):
    options = {"paper": {"rate": 1001.0}}.get(solver, {})
    settings = {"solver": solver, "options": options, "steps": 150, "recorded": 20} | settings
    given = {
        "groups": GROUPS,
        "identities": [("group", i) for i in range(len(GROUPS))],
        "labels": {"place": list(range(len(GROUPS)))},
        "protocol": {
            "settings": settings,
            "precision": {"dtype": "float32", "products": products, "polish": 0.4},
            "init": {"kind": "normal", "scale": 1.0},
            "seed": 5,
            "read": "word",
            "entries": 7,
        },
        "weights": str(weights),
        "job": {"device": "cpu", "threads": 1, "memory_mb": 8000, "snapshot_seconds": 0},
        "optima": str(optima),
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
    process = subprocess.Popen([sys.executable, "-c", JOB, str(SCRIPTS), json.dumps(given)])
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
    tensors, facts = freeze(DATA / "tiny-wide")
    path = tmp_path_factory.mktemp("model") / "frozen.safetensors"
    save_file(tensors, path, metadata=facts)
    return path


@pytest.mark.parametrize(
    ("solver", "products", "stage"),
    [("paper", "same", "whole"), ("lbfgs", "bfloat16", "polish")],
)
def test_a_killed_job_goes_on_to_the_same_bytes(weights, tmp_path, caplog, solver, products, stage):
    killed, again, other = (tmp_path / name for name in ("killed", "again", "other"))
    optima, snapshot = killed / "optima.safetensors", f"optima.safetensors.{stage}.snapshot"
    given = arguments(weights, solver, products, optima)
    kill_midway(given, killed / snapshot, steps=100)
    shutil.copytree(killed, other)
    given["job"]["snapshot_seconds"] = 300

    caplog.set_level(logging.INFO)
    whole = tmp_path / "whole.safetensors"
    climbing.climb(**given | {"optima": str(whole)})
    assert "going on" not in caplog.text and "refused" not in caplog.text
    climbing.climb(**given)
    assert f"going on from {killed / snapshot}" in caplog.text and "refused" not in caplog.text
    assert_same_file(optima, whole)
    assert not list(killed.glob("*.snapshot"))

    caplog.clear()
    changed = arguments(weights, solver, products, other / optima.name, steps=149)
    climbing.climb(**changed)
    assert f"refused, broken or of other settings: {other / snapshot}" in caplog.text
    assert "going on" not in caplog.text
    assert not list(other.glob("*.snapshot"))
    climbing.climb(**changed | {"optima": str(again)})
    assert_same_file(other / optima.name, again)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 6},
        {"read": "cls"},
        {"entries": 8},
        {"init": {"kind": "uniform", "scale": 1.0}},
        {"precision": {"dtype": "float64", "products": "same", "polish": 0.4}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_snapshot_of_another_protocol_is_refused(weights, tmp_path, monkeypatch, caplog, change):
    given = arguments(weights, "paper", "same", tmp_path / "o", steps=8)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        # After the last snapshot, before the output.
        patch.setattr(climbing, "vocabulary_vector", killed)
        climbing.climb(**given)
    assert (tmp_path / "o.whole.snapshot").exists()
    caplog.set_level(logging.INFO)
    climbing.climb(**given | {"protocol": given["protocol"] | change})
    assert "refused" in caplog.text and "going on" not in caplog.text


def test_how_a_job_runs_decides_nothing_and_refuses_nothing(weights, tmp_path, monkeypatch, caplog):
    given = arguments(weights, "sphere", "same", tmp_path / "o", steps=8)
    climbing.climb(**given | {"optima": str(tmp_path / "whole")})
    with monkeypatch.context() as patch, pytest.raises(TypeError):
        patch.setattr(climbing, "vocabulary_vector", None)
        climbing.climb(**given)
    caplog.set_level(logging.INFO)
    job = given["job"] | {"memory_mb": 9000, "snapshot_seconds": 300}
    climbing.climb(**given | {"job": job})
    assert "going on from" in caplog.text
    assert_same_file(tmp_path / "o", tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o", "whole"]


def test_a_job_without_the_memory_for_one_objective_says_so(weights, tmp_path):
    given = arguments(weights, "paper", "same", tmp_path / "o")
    with pytest.raises(MemoryError, match="give the job more"):
        climbing.climb(**given | {"job": given["job"] | {"memory_mb": 1}})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("broken", "fails"), [([0], False), ([0, 2], False), ([0, 1, 2], True)])
def test_ascents_that_mostly_break_off_are_no_result(
    tmp_path, weights, monkeypatch, caplog, broken, fails
):
    whole = climbing.vocabulary_vectors

    def drawn(seed, names, *args, **kwargs):
        x = whole(seed, names, *args, **kwargs)
        x[[row for row, (_, place) in enumerate(names) if place in broken]] = float("nan")
        return x

    monkeypatch.setattr(climbing, "vocabulary_vectors", drawn)
    given = arguments(weights, "paper", "same", tmp_path / "optima.safetensors", steps=5)
    given["protocol"]["entries"] = 0
    if fails:
        with pytest.raises(ArithmeticError, match="3 of 4 ascents broke off.*ascent.rate"):
            climbing.climb(**given)
        assert not (tmp_path / "optima.safetensors").exists()
    else:
        with caplog.at_level(logging.INFO):
            climbing.climb(**given)
        assert f"{len(broken)} ascents broke off" in caplog.text
        finite = load_file(tmp_path / "optima.safetensors")["finite"].tolist()
        assert finite == [place not in broken for place in range(4)]
