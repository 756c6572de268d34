"""Bars appear where someone sees them, after a while, and nowhere else."""

import io
import logging

import numpy as np
import pytest

import textualization as tx
from paths import DATA
from textualization import progress
from textualization.progress import bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def counted(stream, **options):
    with bar("ascend", "steps", 10, file=stream, mininterval=0, **options) as shown:
        for _ in range(10):
            shown.update(1)
    return stream.getvalue()


@pytest.fixture(scope="module")
def model():
    return tx.load(DATA / "tiny-deep", device="cpu")


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)


def test_a_terminal_shows_a_bar_of_a_call_that_takes_long():
    text = counted(Terminal(), delay=0)
    assert "ascend:  50%" in text and "5/10" in text and " steps/s" in text
    assert text.rstrip(" ").endswith("\r")  # it removes itself
    assert counted(Terminal()) == ""  # this took less than two seconds


def test_a_file_and_a_user_who_wants_none_see_no_bar(monkeypatch):
    assert counted(io.StringIO(), delay=0) == ""
    monkeypatch.setenv("TQDM_DISABLE", "1")
    assert counted(Terminal(), delay=0) == ""


def test_an_ascent_on_a_terminal_moves_its_bar_and_finds_the_same(monkeypatch, caplog, model):
    caplog.set_level(logging.INFO)
    how = {"neurons": ["output/1/0", "output/2/3"], "steps": 7, "restarts": 2}
    logged = tx.ascend(model, **how)
    assert "steps taken" in caplog.text
    caplog.clear()
    terminal, plain = Terminal(), progress.tqdm

    def shown(**options):
        return plain(**{**options, "file": terminal, "delay": 0, "mininterval": 0})

    monkeypatch.setattr(progress, "tqdm", shown)
    seen = tx.ascend(model, **how)
    # Two neurons of two restarts take seven steps each.
    assert "28/28" in terminal.getvalue() and "steps taken" not in caplog.text
    np.testing.assert_array_equal(seen.table()["activation"], logged.table()["activation"])
