"""Commands print on every terminal, and read their arguments in every locale."""

import os
import shlex
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from paths import ROOT
from study.machine.terminal import command_line

#: Terminals that lack characters of the answers.
TERMINALS = {
    "ascii": {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
    "no UTF-8 at all": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
}


def run(words, variables, **options):
    """What a command answers."""
    variables = os.environ | {"PYTHONPATH": "src"} | variables
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, **options)


@pytest.fixture
def study(tmp_path):
    """A study of which only its claims are there."""
    row = {"claim": "single.nearest_cosine", "model": "größe", "paper": "0.124", "value": 0.5}
    row |= {"ci_low": 0.4, "ci_high": 0.6, "protocol": "5 steps", "verdict": "not comparable"}
    null = {"null_model": "permuted", "null_value": 0.4, "verdict": "above null"}
    table = pd.DataFrame([row | {"null_model": None, "null_value": None}, row | null])
    table.to_csv(tmp_path / "claims.csv", index=False)
    return str(tmp_path)


@pytest.mark.parametrize("terminal", TERMINALS.values(), ids=TERMINALS)
def test_claims_are_shown_on_every_terminal(study, terminal):
    done = run(["scripts/commands/show_claims.py", study], terminal)
    assert not done.returncode and not done.stderr, done.stderr
    assert (
        b"0.400 \\u2191" in done.stdout
        and b"Null models: \\u2191 the model is above" in done.stdout
    )


def test_claims_are_shown_as_they_are_where_they_can_be(study):
    done = run(["scripts/commands/show_claims.py", study], {"PYTHONIOENCODING": "utf-8"})
    assert "0.400 ↑".encode() in done.stdout and "größe".encode() in done.stdout


def test_a_reader_that_stops_early_is_no_error(study):
    words = [sys.executable, "scripts/commands/show_claims.py", study]
    command = f"{shlex.join(words)} | head -n 0"
    variables = os.environ | {"PYTHONPATH": "src"}
    bash = shutil.which("bash")
    done = subprocess.run([bash, "-c", command], cwd=ROOT, env=variables, capture_output=True)
    assert not done.stderr, done.stderr


@pytest.mark.parametrize("terminal", TERMINALS.values(), ids=TERMINALS)
def test_arguments_in_utf_8_are_read_in_every_locale(terminal):
    code = "from study.machine.terminal import command_line; print(ascii(command_line()))"
    done = run(["-c", code, "π", b"caf\xe9"], terminal)
    assert done.stdout.startswith(b"['\\u03c0', 'caf"), done.stderr


def test_an_argument_in_another_encoding_is_left(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["ask.py", "--word", os.fsdecode(b"caf\xe9")])
    assert command_line() == ["--word", os.fsdecode(b"caf\xe9")]
