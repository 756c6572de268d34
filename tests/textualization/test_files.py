"""A file is there whole, or not at all."""

import os
import socket
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from textualization.files import atomic, mapped_array, write_array, write_table, write_text


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "deep" / "folder" / "result.txt"
    with atomic(path) as partial:
        partial.write_text("half")
        assert not path.exists()
        partial.write_text("whole")
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "result.txt"
    path.write_text("old")
    with pytest.raises(error), atomic(path) as partial:
        partial.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_before_the_first_byte_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), atomic(tmp_path / "result.txt"):
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


def test_a_file_takes_the_old_ones_place(tmp_path):
    path = tmp_path / "result.txt"
    for text in ("a much longer first text", "é 年"):
        write_text(text, path)
    assert path.read_bytes() == "é 年".encode()


def test_a_table_comes_back_as_it_was(tmp_path):
    table = pd.DataFrame({"word": ["a", "é"], "x": [0.1, np.nan], "n": np.array([1, 2], "int16")})
    table.index = [7, 3]
    write_table(table, tmp_path / "t.parquet")
    back = pd.read_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(back, table.reset_index(drop=True))


@pytest.mark.parametrize("name", ["a.npy", "without_suffix"])
def test_an_array_can_be_mapped_under_the_name_it_was_given(tmp_path, name):
    array = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    write_array(array, tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    back = np.load(tmp_path / name, mmap_mode="r")
    assert isinstance(back, np.memmap)
    assert back.dtype == np.float32
    assert np.array_equal(back, array)


def test_what_a_killed_process_left_half_written_goes_and_another_writers_stays(tmp_path):
    path = tmp_path / "a[1].csv"
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    host = socket.gethostname()
    gone = tmp_path / f".a[1].csv.{host}-{killed.pid}.partial"
    stays = [
        tmp_path / f".a[1].csv.{host}-{os.getppid()}.partial",
        tmp_path / f".a[1].csv.elsewhere-{killed.pid}.partial",
        tmp_path / f".b.csv.{host}-{killed.pid}.partial",
    ]
    for left in (gone, *stays):
        left.write_text("half")
    write_text("whole", path)
    assert path.read_text() == "whole" and not gone.exists()
    assert all(left.exists() for left in stays)


def test_a_failure_says_which_file_it_was_at_and_what_went_wrong_first(tmp_path):
    with pytest.raises(AttributeError) as error, atomic(tmp_path / "figure.pdf"):
        try:
            raise OSError(28, "No space left on device")
        finally:
            None.pos  # noqa: B018
    (note,) = error.value.__notes__
    assert note == (
        f"while writing {tmp_path}/figure.pdf (first error: [Errno 28] No space left on device)"
    )


def test_a_mapped_array_is_there_when_it_is_filled(tmp_path):
    with mapped_array(tmp_path / "a.npy", (2, 3), np.float32) as array:
        array[:] = [[1, 2, 3], [4, 5, 6]]
        assert not (tmp_path / "a.npy").exists()
    assert np.load(tmp_path / "a.npy").tolist() == [[1, 2, 3], [4, 5, 6]]


def test_a_mapped_array_that_the_disk_cannot_hold_is_refused_before_it_is_filled(
    tmp_path, monkeypatch
):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with (
        pytest.raises(OSError, match="No space") as error,
        mapped_array(tmp_path / "a.npy", (4,), np.float32),
    ):
        pytest.fail("filled")
    assert "a.npy" in error.value.__notes__[0] and list(tmp_path.iterdir()) == []
