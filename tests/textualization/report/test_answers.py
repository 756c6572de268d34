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
    assert all(f"{value:.3f}" in text for value in here["nearest_cosine"])


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
    assert all(f"{cosine:.3f}" in text for cosine in groups["target_cosine"])
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
