"""Answers about one neuron or word, against the document that they are read from."""

import numpy as np
import pandas as pd
import pytest

from atlas_page import document
from textualization.report.answers import neuron_answer, neuron_name, printable, word_answer

WORDS = ["music", "\u202egnorw", *(f"word{i}" for i in range(40))]


@pytest.fixture(scope="module")
def made():
    return document(np.random.default_rng(0), WORDS, 6, 3, 20, [2, 5])


def optimum(made, row):
    return {key: values[row] for key, values in made["optima"].items()}


def test_a_neurons_answer_holds_its_numbers_words_and_nulls(made):
    own = optimum(made, 27)
    text = "\n".join(neuron_answer(made, 27, own))
    assert neuron_name(made, 27) == "output/2/7"
    for name in ("activation", "ceiling", "start_activation"):
        assert f"{own[name]:.3g}" in text
    assert f"{100 * own['activation'] / own['ceiling']:.3g} %" in text
    assert all(f"{word} {cosine:.3g}" in text for word, cosine in zip(
        map(printable, own["nearest_words"]), own["nearest_cosines"], strict=True))  # fmt: skip
    nulls = pd.DataFrame(made["nulls"])
    here = nulls[nulls["layer"] == 2]
    assert len(here) == 4
    for name in ("nearest_cosine", "explanation"):
        assert all(f"{value:.3f}" in text for value in here[name])
    assert all(f"{own[name]:.3f}" in text for name in ("explanation", "start_explanation"))


def explained(made, **known):
    own = optimum(made, 27) | {"explanation": 0.351, "start_explanation": -0.001}
    own |= {"precision_100": 0.12, "precision_1000": 0.4} | known
    return [line for line in neuron_answer(made, 27, own) if line.startswith("explanation  ")]


def test_a_neurons_explanation_is_told_as_far_as_it_is_known(made):
    words = "of the 100 words that activate it most, 12 are among the 100 nearest"
    start = "explanation      0.35 (its start 0.00)"
    assert explained(made) == [f"{start}; {words}, 40 among the 1,000"]
    assert explained(made, precision_1000=None) == [f"{start}; {words}"]
    assert explained(made, precision_100=None, precision_1000=None) == [start]
    nothing = {"precision_100": None, "precision_1000": float("nan"), "start_explanation": None}
    assert explained(made, **nothing) == ["explanation      0.35"]
    assert explained(made, explanation=None) == []


def test_what_is_not_explained_shows_as_nothing_in_tables(made):
    lines = neuron_answer(made, 27, optimum(made, 27) | {"explanation": None})
    own = next(line for line in lines if line.lstrip().startswith("this neuron "))
    assert own.rstrip().endswith("%") and "nan" not in "".join(lines).lower()


def test_a_neuron_without_a_ceiling_says_so(made):
    text = "\n".join(neuron_answer(made, 0, optimum(made, 0) | {"ceiling": None}))
    assert "ceiling          none" in text


def test_a_neuron_names_the_groups_that_hold_it_or_none(made):
    ranking = made["rankings"]["absolute"][0]
    held = neuron_answer(made, ranking[1], optimum(made, ranking[1]))[-1]
    assert "music (2., absolute)" in held
    everywhere = {row for of in made["rankings"].values() for r in of for row in r}
    alone = next(row for row in range(60) if row not in everywhere)
    assert "none of the study's words" in neuron_answer(made, alone, optimum(made, alone))[-1]


def test_a_words_answer_holds_its_groups_thresholds_layers_and_nulls(made):
    groups = pd.DataFrame(made["groups"])
    groups = groups[groups["word"] == "music"]
    rankings = {name: of[0] for name, of in made["rankings"].items()}
    lines = word_answer(made, "music", groups, rankings)
    text = "\n".join(lines)
    for name in ("target_cosine", "explanation"):
        assert all(f"{value:.3f}" in text for value in groups[name])
    assert text.count("yes") == groups["recovered"].sum()
    counts = pd.Series([row // 20 + 1 for row in rankings["absolute"]]).value_counts().sort_index()
    told = ", ".join(f"{layer}: {count}" for layer, count in counts.items())
    assert f"{told} (of 5 neurons, absolute)" in text
    thresholds = pd.DataFrame(made["thresholds"])
    for value in thresholds["neurons"][thresholds["word"] == "music"]:
        assert f"{value:.3g} at" in text
    assert text.count("rotated_basis") == 3 and "50 %" in text


def test_what_turns_a_line_around_shows_as_its_code():
    assert printable("\u202egnorw") == "\\u202egnorw"
    assert printable("a\x1b[31m") == "a\\u001b[31m"
    assert printable("עברית 😀") == "עברית 😀"
