"""An ascent that was interrupted, wherever, goes on as if nothing had happened."""

from dataclasses import dataclass

import pytest
import torch

from ascents import (
    GROUPS,
    SOLVERS,
    Impatience,
    Patience,
    ascend,
    assert_identical,
    starts_for,
    until_finished,
)
from textualization.ascent.snapshots import Snapshots
from tiny import load_tiny

#: Refilled batches in which ascents end at different times.
STOPPING = {"steps": 40, "batch": 3, "tolerance": 0.005, "window": 4}


@dataclass
class EveryFifth(Snapshots):
    """Snapshots that are due at every fifth look, so that the last is not of the last step."""

    asked: int = 0

    def due(self):
        self.asked += 1
        return self.asked % 5 == 0


def assert_only(folder, *names):
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)


@pytest.fixture(scope="module")
def wide():
    frozen, _ = load_tiny("tiny-wide")
    return frozen, GROUPS * 2, starts_for(frozen, 2 * len(GROUPS))[1]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("kind", "patience"), [(Snapshots, 2), (Snapshots, 11), (EveryFifth, 12)])
def test_an_interrupted_ascent_ends_bit_for_bit_where_a_whole_one_does(
    wide, tmp_path, solver, kind, patience
):
    whole = ascend(*wide, solver=solver, **STOPPING)
    assert len(set(whole.taken.tolist())) > 1
    path = tmp_path / "a.snapshot"

    def again(progress):
        kept = kind(path, "mine", every=0)
        return ascend(*wide, solver=solver, snapshots=kept, progress=progress, **STOPPING)

    found, interruptions = until_finished(again, patience)
    assert interruptions > 2
    assert_identical(found, whole)
    assert_only(tmp_path, "a.snapshot")


@pytest.mark.parametrize("solver", SOLVERS)
def test_snapshots_change_nothing(wide, tmp_path, solver):
    kept = Snapshots(tmp_path / "a.snapshot", "mine", every=0)
    assert_identical(
        ascend(*wide, solver=solver, snapshots=kept, **STOPPING),
        ascend(*wide, solver=solver, **STOPPING),
    )


def test_a_finished_snapshot_gives_the_optima_without_the_model(wide, tmp_path, monkeypatch):
    frozen, groups, start = wide

    def snapshots():
        return Snapshots(tmp_path / "a.snapshot", "mine", every=1e9)

    whole = ascend(*wide, solver="lbfgs", snapshots=snapshots(), **STOPPING)
    monkeypatch.setattr(frozen, "activations", None)
    again = ascend(*wide, solver="lbfgs", snapshots=snapshots(), **STOPPING)
    assert_identical(again, whole)


def cut_short(wide, path, fingerprint, **settings):
    """Leave a snapshot of some ten steps behind."""
    with pytest.raises(Impatience):
        kept = Snapshots(path, fingerprint, every=0)
        ascend(*wide, snapshots=kept, progress=Patience(12), **(STOPPING | settings))


def test_a_snapshot_of_other_settings_is_refused(wide, tmp_path):
    path = tmp_path / "a.snapshot"
    cut_short(wide, path, "theirs", options={"rate": 1.0})
    assert Snapshots(path, "theirs").read() is not None
    mine = Snapshots(path, "mine", every=0)
    assert mine.read() is None
    calls = []
    found = ascend(*wide, snapshots=mine, progress=lambda *call: calls.append(call), **STOPPING)
    assert calls[0][0] == 0
    assert_identical(found, ascend(*wide, **STOPPING))
    # From now on it is this one's.
    assert mine.read() is not None and Snapshots(path, "theirs").read() is None


@pytest.mark.parametrize("share", [0.0, 0.05, 0.999])
def test_a_snapshot_that_lost_its_end_is_none(wide, tmp_path, share):
    path = tmp_path / "a.snapshot"
    cut_short(wide, path, "mine")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    mine = Snapshots(path, "mine", every=0)
    assert mine.read() is None
    assert_identical(ascend(*wide, snapshots=mine, **STOPPING), ascend(*wide, **STOPPING))


@pytest.mark.parametrize("content", [b"no tensors at all", b"\xff" * 64, b"\0" * 64, b"{}"])
def test_a_file_that_is_no_snapshot_is_none(tmp_path, content):
    path = tmp_path / "a.snapshot"
    path.write_bytes(content)
    assert Snapshots(path, "mine").read() is None


def test_without_a_file_there_is_none_and_nothing_to_remove(tmp_path):
    kept = Snapshots(tmp_path / "a.snapshot", "mine")
    assert kept.read() is None
    kept.remove()
    kept.write({"a": torch.arange(3)})
    assert kept.read()["a"].tolist() == [0, 1, 2]
    kept.remove()
    assert_only(tmp_path)


@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 0), (), (3, 4)])
def test_what_lies_in_memory_in_any_way_is_kept(tmp_path, shape):
    snapshots = Snapshots(tmp_path / "snapshot", "mine")
    # A single number is contiguous, whatever the stride of the array that it comes from.
    tensor = torch.arange(64.0).as_strided(shape, (16, 2)[: len(shape)])
    snapshots.write({"tensor": tensor})
    assert torch.equal(snapshots.read()["tensor"], tensor)


def test_a_write_that_fails_leaves_the_snapshot_before_it(tmp_path):
    kept = Snapshots(tmp_path / "a.snapshot", "mine")
    kept.write({"a": torch.arange(3)})
    with pytest.raises(AttributeError):
        kept.write({"a": "no tensor"})
    assert kept.read()["a"].tolist() == [0, 1, 2]
    assert_only(tmp_path, "a.snapshot")


def test_a_snapshot_is_due_when_its_seconds_have_passed(tmp_path, monkeypatch):
    now = 100.0
    monkeypatch.setattr("textualization.ascent.snapshots.time.monotonic", lambda: now)
    kept = Snapshots(tmp_path / "a.snapshot", "mine", every=60, _last=now)
    assert not kept.due()
    now = 160.0
    assert kept.due()
    kept.write({"a": torch.zeros(1)})
    assert not kept.due()
