"""`make ask`: a word reaches the command as it was typed, and is read as the study reads it."""

import subprocess

import pandas as pd
import pytest

from paths import DATA, ROOT
from scripts.commands import ask
from study.asked.finished import FinishedStudy
from textualization.errors import SettingsError
from textualization.models.tokenizer import load_tokenizer

WORDS = ["007", "1e5", "null", "$", "$(x)", "--", "-5", "#", "'", '"', "`x`", "a b", "é"]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_reaches_the_command_as_it_was_typed(tmp_path, word):
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    command = [
        "make",
        "--silent",
        "--old-file=.venv/runs",
        "ask",
        f"BIN={tmp_path}",
        f"WORD={word}",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "scripts/commands/ask.py",
        "--study",
        "results/default",
        f"--word={word}",
    ]


@pytest.fixture
def study():
    tokenizer = load_tokenizer(DATA / "tiny-deep/tokenizer.json")
    entries = tokenizer.get_vocab()
    words = pd.DataFrame({"word": sorted(entries, key=entries.get)})
    words["candidate"] = words.index >= 20
    words["kind"] = words["candidate"].map({True: "word", False: "special"})
    study = FinishedStudy.__new__(FinishedStudy)
    study.document, study.model = {"targets": {"word": ["river"]}}, "tiny-deep"
    study.settings = {}
    study.words = lambda: words
    study.weights = lambda: DATA / "tiny-deep/model.safetensors"
    return study


@pytest.mark.parametrize(
    ("word", "entry"),
    [("river", "river"), ("River", "river"), ("green", "green"), ("e\u0301", "é")],
)
def test_a_word_is_read_as_the_study_reads_it(study, word, entry):
    assert ask._entry(study, word) == entry


@pytest.mark.parametrize(
    ("word", "says"),
    [("tigre", "(in pieces: "), ("[CLS]", "'[CLS]' is special, no word of its own")],
)
def test_a_word_that_is_no_candidate_is_named(study, word, says):
    with pytest.raises(SettingsError) as error:
        ask._entry(study, word)
    assert str(error.value).startswith("WORD: ") and says in str(error.value)


def test_how_a_word_is_read_is_said_in_the_answer(study, monkeypatch):
    study.document["groups"] = {"word": ["river"]}
    study.document["rankings"] = {"absolute": [[0]]}
    monkeypatch.setattr(ask, "word_answer", lambda *about: [f"about {about[1]}"])
    title, answer = ask.ask_word(study, "River", fresh=False)
    assert title.startswith("river ('River' is read as 'river'), in tiny-deep: from the study")
    assert answer == "about river"
    assert ask.ask_word(study, "river", fresh=False)[0].startswith("river, in tiny-deep")
