"""Stages by hand-written sequences of jobs; times left by arithmetic."""

import io
import time
from pathlib import Path

import pytest

from snakemake_logger_plugin_stages.display import PlainLines, described
from snakemake_logger_plugin_stages.stages import Stages, State, duration, seconds_left

NOWHERE = Path("no-such.log")


def test_no_time_left_is_named_before_anything_was_measured():
    assert seconds_left(4, [], []) is None
    assert seconds_left(4, [], [(30, 0.0), (30, 0.0)]) is None
    # Nothing runs: other stages have the cores, for who knows how long.
    assert seconds_left(4, [30], []) is None


@pytest.mark.parametrize(
    "total, ended, running, left",
    [
        (1, [], [(30, 0.25)], 90),
        (2, [60], [(20, 0.0)], 40),
        # Later than the ended ones: it may end at any moment.
        (2, [60], [(90, 0.0)], 0),
        # Two at a time: the running ones have 30 s each, four others take 60 s each.
        (6, [], [(30, 0.5), (30, 0.5)], 150),
        # One by one.
        (4, [10, 20], [(7.5, 0.5)], 7.5 + 15),
        # The longest job decides.
        (2, [], [(10, 0.1), (10, 0.9)], 90),
    ],
)
def test_the_time_left_is_that_of_the_stages_own_jobs(total, ended, running, left):
    assert seconds_left(total, ended, running) == pytest.approx(left)


def test_a_stage_is_shown_while_it_runs_and_returned_when_it_has_ended():
    stages = Stages()
    stages.plan({"ascend_singles": 2, "write_claims": 1})
    assert stages.total == 3 and stages.states(100.0) == []
    stages.begin(7, "ascend_singles", NOWHERE, 100.0)
    assert stages.states(110.0) == [State("ascend singles", 0, 2, 0.0, None, "")]
    assert stages.end(7, 120.0) is None
    stages.begin(8, "ascend_singles", NOWHERE, 120.0)
    [state] = stages.states(125.0)
    assert (state.ended, state.share, state.left) == (1, 0.5, pytest.approx(15))
    ended = stages.end(8, 150.0)
    assert (ended.title, ended.began, ended.seconds) == ("ascend singles", 100.0, [20.0, 30.0])
    assert stages.states(150.0) == [] and stages.ended == 2


def test_the_share_within_a_job_counts(tmp_path):
    log = tmp_path / "job.log"
    stages = Stages()
    stages.plan({"ascend_singles": 4})
    began = time.time() - 60
    stages.begin(1, "ascend_singles", log, began)
    log.write_text("2026-01-02 03:04:05,6 40 steps taken, at most 40 left (1 per second)\n")
    [state] = stages.states(began + 60)
    assert state.share == 0.5 / 4 and state.left == pytest.approx(60 + 3 * 120)


def test_a_failed_job_is_not_running_and_may_begin_again():
    stages = Stages()
    stages.plan({"fetch_model": 1})
    stages.begin(3, "fetch_model", NOWHERE, 0.0)
    assert stages.fail(3).rule == "fetch_model" and stages.states(1.0) == []
    stages.begin(3, "fetch_model", NOWHERE, 10.0)
    assert stages.end(3, 20.0).seconds == [10.0]
    assert stages.fail(3) is None and stages.end(99, 30.0) is None


def test_of_jobs_that_a_checkpoint_adds_no_share_is_said():
    stages = Stages()
    stages.plan({"find_models": 1})
    stages.begin(1, "find_models", NOWHERE, 0.0)
    assert stages.end(1, 1.0)
    stages.begin(2, "ascend_groups", NOWHERE, 1.0)
    assert stages.states(2.0) == [State("ascend groups", 0, None, None, None, "")]
    assert stages.end(2, 3.0) is None and stages.ended == stages.total == 2


@pytest.mark.parametrize(
    "state, text",
    [
        (State("a b", 1, 4, 0.3, 119.0, ""), "a b 30% (1 of 4 jobs, about 2 min left)"),
        (State("a", 0, 1, 0.5, None, "piece 2 of 5"), "a 50% (piece 2 of 5)"),
        (State("a", 0, 2, 0.5, 3.0, "b 2 of 5"), "a 50% (0 of 2 jobs, b 2 of 5, about 3 s left)"),
        (State("a", 3, None, None, None, ""), "a (3 jobs)"),
    ],
)  # fmt: skip
def test_a_state_is_a_line_of_words(state, text):
    assert described(state) == text


@pytest.mark.parametrize(
    "seconds, text",
    [(0, "1 s"), (59, "59 s"), (59.9, "1 min"), (5700, "95 min"), (7260, "2 h 1 min")],
)
def test_times_are_as_coarse_as_they_are_sure(seconds, text):
    assert duration(seconds) == text


def test_after_a_pause_plain_lines_say_what_runs():
    stages, stream = Stages(), io.StringIO()
    stages.plan({"ascend_singles": 2})
    lines = PlainLines(stages, stream, pause=0.2)
    time.sleep(0.5)
    assert stream.getvalue() == ""  # nothing runs
    stages.begin(1, "ascend_singles", NOWHERE, time.time())
    time.sleep(0.5)
    lines.close()
    said = stream.getvalue().splitlines()
    assert 1 <= len(said) <= 3
    assert set(said) == {"running: ascend singles 0% (0 of 2 jobs); 0 of 2 jobs"}
