import logging
import os

import pytest

from snakemake_logger_plugin_stages.progress import progress_in, read_progress
from study.job import in_turn


def lines(*messages):
    """A job's log (the style of study.job)."""
    return "".join(f"2026-01-02 03:04:05,678 {message}\n" for message in messages)


def steps(taken, left):
    """The library's line (textualization.ascent.protocol)."""
    return f"{taken} steps taken, at most {left} left (12 per second): mean activation 1.0"


@pytest.mark.parametrize(
    "messages, share, note",
    [
        ([], 0, ""),
        (["96 objectives, up to 32 per batch"], 0, ""),
        (["200 of 1000 words"], 0.2, "200 of 1000 words"),
        (["3 of 96 ascents broke off at values that are not finite"], 0, ""),
        ([steps(10, 30), steps(30, 10)], 0.75, ""),
        ([steps(40, 0)], 1, ""),
        (["replicate 2 of 4"], 0.25, "replicate 2 of 4"),
        # What the part before has done is not this part's.
        (["replicate 1 of 4", steps(9, 1), "replicate 2 of 4"], 0.25, "replicate 2 of 4"),
        (["replicate 2 of 4", steps(20, 20)], 0.375, "replicate 2 of 4"),
        (
            ["replicate 1 of 2", "condition 1 of 5", "condition 5 of 5", "replicate 2 of 2"],
            0.5,
            "replicate 2 of 2",
        ),
        (
            ["replicate 2 of 2", "condition 1 of 5", "condition 2 of 5", steps(1, 1)],
            (1 + 1.5 / 5) / 2,
            "replicate 2 of 2, condition 2 of 5",
        ),
        (
            ["piece 2 of 5: a-package", "20 of 80 MB"],
            0.25,
            "piece 2 of 5, 20 of 80 MB",
        ),
    ],
)
def test_the_share_is_that_of_the_parts_and_of_the_last_ones_steps(messages, share, note):
    found = progress_in(lines(*messages))
    assert found.share == pytest.approx(share) and found.note == note


def test_the_log_of_an_earlier_run_says_nothing(tmp_path):
    log = tmp_path / "job.log"
    assert read_progress(log, since=0) == (0, "")
    log.write_text(lines(steps(1, 1)))
    os.utime(log, (1000, 1000))
    assert read_progress(log, since=999).share == 0.5
    assert read_progress(log, since=1001).share == 0


def test_of_a_long_log_only_the_end_is_read(tmp_path):
    log = tmp_path / "job.log"
    log.write_text(lines(*(steps(n, 5000 - n) for n in range(5000))))
    assert read_progress(log, since=0).share == pytest.approx(4999 / 5000)


def test_what_is_done_in_turn_is_logged_before_it_begins(caplog):
    caplog.set_level(logging.INFO)
    for number, item in enumerate(in_turn("replicate", iter("abc")), start=1):
        assert item == "abc"[number - 1] and len(caplog.messages) == number
    assert caplog.messages == [f"replicate {n} of 3" for n in (1, 2, 3)]
    assert progress_in(lines(*caplog.messages)).note == "replicate 3 of 3"


def test_the_librarys_own_lines_are_read(caplog):
    import torch

    from textualization.ascent.protocol import _Progress

    caplog.set_level(logging.INFO)
    _Progress()(30, 10, torch.tensor(1.0))
    assert progress_in(lines(*caplog.messages)).share == 0.75
