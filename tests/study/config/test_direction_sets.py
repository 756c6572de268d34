"""Sets of directions in the settings: what is wrong with them, and what a model has of them."""

import numpy as np
import pytest
import yaml
from safetensors.numpy import save_file

from settings import changed, complaints
from study.config.direction_sets import count_of, layers_of, sets_for

HERE = {"site": "output", "layers": [3]}
RUN = ("run", ["singles", "directions"])


def said(text, *changes):
    """What is said of a study with a set `own` of directions, and of a file of 384 numbers a row."""
    return complaints(changed(RUN, ("directions", {"own": yaml.safe_load(text)}), *changes))


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_file({"a": np.ones((2, 384), "f4"), "b": np.ones(384, "f4")}, "good.safetensors")
    save_file({"a": np.ones((2, 384), "f4"), "a/2": np.ones(384, "f4")}, "twice.safetensors")
    np.save("narrow.npy", np.ones((2, 8)))
    np.save("flat.npy", np.ones((2, 2, 384)))
    (tmp_path / "broken.npy").write_bytes(b"1")
    (tmp_path / "rows.csv").write_text("1,2")


@pytest.mark.parametrize(
    "text",
    [
        "{file: good.safetensors, site: output, layers: [3]}",
        "{words: [king, queen], minus: [man, woman], site: output, layers: all}",
        "{activations_of: [music], site: output, layers: [1, 6]}",
        "{principal: 384, site: output, layers: [3, 6]}",
        "{random: 384, site: output, layers: [3]}",
    ],
)
def test_every_kind_of_set_is_allowed(files, text):
    assert said(text) == []


@pytest.mark.parametrize(
    ("text", "begins", "says"),
    [
        (
            "{site: output, layers: [3]}",
            "own: ",
            "has nothing that directions are made of (allowed: one",
        ),
        (
            "{random: 2, principal: 3, site: output, layers: [3]}",
            "own: ",
            "has principal and random",
        ),
        ("{words: [king], site: output, layers: [3]}", "own: ", "words and minus belong together"),
        (
            "{random: 2, minus: [king], site: output, layers: [3]}",
            "own: ",
            "words and minus belong",
        ),
        ("{random: 2, layers: [3]}", "own: ", "lacks site"),
        ("{random: 2, site: output}", "own: ", "lacks layers"),
        ("{random: 2, site: outputs, layers: [3]}", "own.site: ", "did you mean 'output'?"),
        (
            "{random: 2, site: intermediate, layers: [3]}",
            "own.site: ",
            "is not among activations.sites",
        ),
        (
            "{random: 2, site: output, layers: 3}",
            "own.layers: ",
            "all, or a list of different layers",
        ),
        ("{random: 2, site: output, layers: [7]}", "own.layers: ", "7 is not a layer of minilm-l6"),
        (
            "{random: 385, site: output, layers: [3]}",
            "own.random: ",
            "385 is more than 384, the output",
        ),
        ("{random: 0, site: output, layers: [3]}", "own.random: ", "a whole number from 1"),
        (
            "{words: king, minus: [man], site: output, layers: [3]}",
            "own.words: ",
            "a list of different",
        ),
        ("{words: [no], minus: [man], site: output, layers: [3]}", "own.words.0: ", "False is not"),
        (
            "{activations_of: [a, a], site: output, layers: [3]}",
            "own.activations_of: ",
            "entry twice",
        ),
        ("{principle: 2, site: output, layers: [3]}", "own: ", "did you mean 'principal'?"),
        ("{file: gone.npy, site: output, layers: [3]}", "own.file: ", "gone.npy cannot be read"),
        (
            "{file: rows.csv, site: output, layers: [3]}",
            "own.file: ",
            "of no known kind (allowed: .saf",
        ),
        (
            "{file: broken.npy, site: output, layers: [3]}",
            "own.file: ",
            "broken.npy cannot be read",
        ),
        ("{file: flat.npy, site: output, layers: [3]}", "own.file: ", "has the shape (2, 2, 384)"),
        ("{file: twice.safetensors, site: output, layers: [3]}", "own.file: ", "of the name a/2"),
        (
            "{file: narrow.npy, site: output, layers: [3]}",
            "own.file: ",
            "narrow has rows of 8 numbers (allowed: 384, the output neurons per layer) of minilm-l6",
        ),
    ],
)
def test_a_wrong_set_is_one_line_with_its_key_and_what_is_allowed(files, text, begins, says):
    (line,) = said(text)
    assert line.startswith(f"directions.{begins}")
    assert says in line
    assert len(line) < 200


def test_components_of_null_models_are_of_their_words():
    few = ("nulls.words", 100)
    (line,) = said("{principal: 100, site: output, layers: [3]}", few)
    assert (
        line.startswith("directions.own.principal: 100 is more than 99, ") and "nulls.words" in line
    )
    assert said("{principal: 100, site: output, layers: [3]}", few, ("nulls.models", [])) == []


@pytest.mark.parametrize("name", ["Own", "2", "a-b", "a/b"])
def test_a_sets_name_is_a_files(name):
    (line,) = complaints(changed(RUN, ("directions", {name: {"random": 2, **HERE}})))
    assert line.startswith(f"directions: {name!r} is not valid")


def test_directions_are_named_and_run_or_neither():
    (line,) = complaints(changed(RUN))
    assert line.startswith("run: directions, but `directions` names none (allowed: ")
    (line,) = complaints(changed(("directions", {"own": {"random": 2, **HERE}})))
    assert line.startswith("directions: own would not be studied (allowed: add directions to run")
    assert sets_for(changed(), {"layers": 6, "hidden": 384, "intermediate": 1536}) == {}


def test_what_a_model_lacks_may_be_skipped(files):
    of = {
        "fits": {"random": 2, "site": "output", "layers": [3, 9]},
        "deep": {"random": 2, "site": "output", "layers": [9]},
        "narrow": {"file": "narrow.npy", **HERE},
    }
    settings = changed(RUN, ("directions", of), ("missing.neurons", "skip"))
    shape = {"layers": 6, "hidden": 384, "intermediate": 1536}
    assert complaints(settings) == []
    assert list(sets_for(settings, shape)) == ["fits"]
    assert layers_of(of["fits"], 6) == [3]
    del of["fits"]
    assert complaints(settings) == ["directions: minilm-l6 has none of these"]


def test_directions_of_a_set_are_counted(files):
    assert count_of({"file": "good.safetensors"}) == 3
    assert count_of({"words": ["a", "b"], "minus": ["c"]}) == 1
    assert count_of({"activations_of": ["a", "b"]}) == 2
    assert count_of({"principal": 7}) == count_of({"random": 7}) == 7
