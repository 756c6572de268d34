"""A run of the small study shows its stages; failures are as full as Snakemake's own."""

import os
import pty
import re
import subprocess
import sys

import pytest

from paths import ROOT
from workflow import copy_of_the_project, environment

pytestmark = pytest.mark.workflow

TARGET = "results/test/tiny-deep/vocabulary.parquet"
#: The stage runs although its file is there.
AGAIN = ("--forcerun", "list_vocabulary")
#: Lines that only Snakemake writes.
OWN = ("Building DAG", "Select jobs", "Finished jobid", "steps (", "Job stats", "Workflow defines")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return copy_of_the_project(tmp_path_factory.mktemp("stages"))


def command(*forced, target=TARGET):
    words = [sys.executable, "-m", "snakemake", "--logger", "stages", "--cores", "2"]
    return [*words, "--configfile", "config/test.yaml", *forced, "--", target]


def variables(project):
    # The package in src/ is found as in the Makefile.
    return environment(project, PYTHONPATH=str(project / "src"), TERM="xterm", COLUMNS="120")


def piped(project, words):
    done = subprocess.run(words, cwd=project, env=variables(project), capture_output=True)
    return done.returncode, (done.stdout + done.stderr).decode()


def on_a_terminal(project, words):
    """The status and all that a terminal receives."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        words, cwd=project, env=variables(project), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    received = b""
    try:
        while chunk := os.read(ours, 65536):
            received += chunk
    except OSError:  # the other side is closed
        pass
    return process.wait(), received.decode()


def test_in_a_pipe_every_stage_is_a_plain_line_when_it_has_ended(project):
    status, text = piped(project, command(*AGAIN))
    assert status == 0, text
    assert "\r" not in text and "\x1b" not in text
    assert re.search(r"^list vocabulary: 1 job, \d+ (s|min)$", text, flags=re.MULTILINE)
    assert re.search(r"^\d jobs? done in \d+ (s|min)$", text, flags=re.MULTILINE)
    assert not [line for line in OWN if line in text]


def test_on_a_terminal_running_stages_move(project):
    status, text = on_a_terminal(project, command(*AGAIN))
    assert status == 0, text
    assert re.search(r"list vocabulary +.*0%.*0 of 1 jobs", text) and "\x1b[2K" in text
    assert re.search(r"list vocabulary: 1 job, \d+ (s|min)", text)
    assert text.count(" done in ") == 1
    assert not [line for line in OWN if line in text]


def test_a_file_that_no_rule_makes_is_named_and_a_run_with_nothing_to_do_says_so(project):
    status, text = on_a_terminal(project, command(target="results/nothing.txt"))
    assert status == 1 and "No rule to produce results/nothing.txt" in text
    status, text = piped(project, command())
    assert status == 0 and "Nothing to be done" in text


@pytest.mark.parametrize("run", [piped, on_a_terminal])
def test_a_failed_job_is_shown_in_full(project, run):
    vocabulary = project / "scripts/model/list_vocabulary.py"
    kept = vocabulary.read_text()
    vocabulary.write_text(
        kept.replace("    frame = ()\n", '    raise ValueError("no such luck")\n')
    )
    try:
        status, text = run(project, command(*AGAIN))
    finally:
        vocabulary.write_text(kept)
    assert status == 1
    log = "results/test/tiny-deep/logs/list_vocabulary.log"
    # On a terminal the moving lines are drawn again after every line that a job prints.
    assert re.search(r"(?s)list_vocabulary: no such luck\r?\n.*?\(details: " + log, text)
    assert f"failed: list_vocabulary (model=tiny-deep), log: {log}" in text
    assert "Exiting because a job execution failed" in text and " done in " not in text


def made(*variables):
    words = ["make", "--dry-run", "-o", ".venv/runs", "demo", *variables]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_snakemakes_own_lines_are_shown_on_request():
    assert "--logger stages" in made() and "--quiet" not in made()
    assert "--logger" not in made("VERBOSE=1")
    assert "--quiet rules host reason --cores" in made("VERBOSE=1")
