"""Sentences and short texts in the atlas and in answers: as they are written, the token marked."""

import copy

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect, sync_playwright

from atlas_page import document, page_of
from browser import CHROMIUM, watched
from textualization.report.atlas_sentences import around, in_their_texts
from textualization.report.text_answers import (
    sentence_lines,
    texts_answer,
    word_texts_answer,
)

STRANGE = "<script>document.title=1</script> & <b>"
HEBREW = "שלום ‮gnorw"


def rows():
    table = [
        ("a", 2.0, f"{STRANGE} green", len(STRANGE) + 1, len(STRANGE) + 6),
        ("b", 1.0, "x", 0, 1),
        ("a", 1.5, HEBREW, 0, 4),
        ("elsewhere", 9.0, "y", 0, 1),
    ]
    return pd.DataFrame(table, columns=["objective", "activation", "text", "start", "end"])


def test_tokens_are_listed_by_objective_in_the_order_of_the_atlas():
    found = in_their_texts(rows(), ["b", "none", "a"])
    assert found[:2] == [[[1.0, "", "x", ""]], []]
    assert found[2] == [[2.0, f"{STRANGE} ", "green", ""], [1.5, "", "שלום", " ‮gnorw"]]
    found = in_their_texts(rows().assign(length=[1, 2, 3, 4], best=True), ["a"], ("length", "best"))
    assert [row[4:] for row in found[0]] == [[1, 1], [3, 1]]


def test_a_long_sentence_is_cut_at_a_space_on_each_side():
    text = "one two " * 300 + "here" + " three four" * 300
    start = text.index("here")
    before, token, after = around(text, start, start + 4, 20)
    assert token == "here"
    assert before.startswith("…") and text[:start].endswith(before[1:]) and len(before) <= 21
    assert after.endswith("…") and text[start + 4 :].startswith(after[:-1]) and len(after) <= 21
    assert before[1:4] in ("one", "two") and after[:-1].split()[-1] in ("three", "four")
    # Without a space it is cut anywhere.
    assert around("年" * 50 + "b", 50, 51, 5) == ["…" + "年" * 5, "b", ""]
    assert around("a b c", 2, 3, 5) == ["a ", "b", " c"]


@pytest.fixture(scope="module")
def plain():
    """A model's part of a study without sentences."""
    return document(np.random.default_rng(0), ["music", "tiger", "river"], 2, 2, 3, [2])


@pytest.fixture(scope="module")
def made(plain):
    part = copy.deepcopy(plain)
    count, groups = len(part["optima"]["neuron"]), len(part["groups"]["word"])
    entry = [2.0, f"{STRANGE} ", "green", ""]
    part["corpus"] = {"sentences": 1234, "tokens": 56789, "drawn": 77}
    part["sentences"] = {
        "singles": [[entry, [1.5, "", "שלום", " ‮gnorw"]]] + [[]] * (count - 1),
        "groups": [[entry]] * groups,
    }
    part["texts"] = {"singles": [[]] + [[[3.0, "tiger ", "river", "", 2, 1]]] * (count - 1)}
    part["optima"]["activation"][:2] = [4.0, 4.0]
    part["optima"]["utilisation_drawn_sentence"] = [0.4321] * count
    part["nulls"]["utilisation_drawn_sentence"] = [0.1234] * len(part["nulls"]["null"])
    return part


def test_an_answer_lists_them_with_the_token_in_brackets(made, plain):
    lines = texts_answer(made, "singles", 0, 4.0)
    assert lines[1].startswith("sentences        of 56,789 tokens in 1,234 sentences")
    assert lines[2] == f"  1.        2 (50 %)         {STRANGE} [green]"
    # What would reorder a terminal's line is shown by its code.
    assert lines[3].endswith("[שלום] \\u202egnorw") and len(lines) == 4
    lines = texts_answer(made, "singles", 1, 4.0)
    assert lines[-1] == "  2 tokens  3 (75 %)         tiger [river]"
    assert texts_answer(plain, "singles", 0, 4.0) == []
    assert texts_answer(made, "directions", 0, 4.0) == []


def test_a_words_answer_lists_those_of_its_largest_groups(made, plain):
    groups = pd.DataFrame(made["groups"])
    own = groups[(groups["word"] == "music") & (groups["scope"] == "model")]
    found = [line for line in word_texts_answer(made, "music") if line.startswith("Its group")]
    largest = own.groupby("selection", sort=False)["size"].max()
    assert found == [f"Its group of {size} neurons, {name}" for name, size in largest.items()]
    assert len(found) > 0 and word_texts_answer(made, "elsewhere") == []
    assert word_texts_answer(plain, "music") == []


def test_at_most_five_sentences_are_listed_and_what_is_not_read_is_said():
    many = [[float(n), "a\tb ", "c", " d" * 100] for n in range(9)]
    lines = sentence_lines(many, -1.0, "read now")
    assert len(lines) == 2 + 5 and "%" not in "".join(lines) and "\t" not in "".join(lines)
    assert lines[2].endswith("…") and len(lines[2]) < 120
    assert sentence_lines([], 1.0, "not read: it is gone") == [
        "",
        "sentences        not read: it is gone",
    ]
    assert sentence_lines([], 1.0, "") == []


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium (apt-get install chromium)")
def test_the_page_shows_them_as_they_are_written(made, plain, tmp_path):
    page_file = tmp_path / "index.html"
    page_file.write_text(page_of({"first": made, "plain": plain}, study="x"), encoding="utf-8")
    names = [
        "/".join(str(made["neurons"][part][row]) for part in ("site", "layer", "index"))
        for row in made["optima"]["neuron"][:2]
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with watched(browser) as page:
            page.goto(f"{page_file.as_uri()}#/first/neuron/{names[0]}")
            expect(page.locator("h1")).to_have_text(f"Neuron {names[0]}")
            assert page.locator("mark").all_inner_texts() == ["green", "שלום"]
            assert page.locator("bdi.sentence").all_text_contents() == [f"{STRANGE} green", HEBREW]
            text = page.locator("main").inner_text()
            assert "of 56,789 in 1,234 sentences" in text and "50 %" in text and "38 %" in text
            assert "best of 77 drawn sentences" in text and "43 %" in text and "12 %" in text
            assert "Short texts" not in text.replace("Sentences and short texts", "")
            page.goto(f"{page_file.as_uri()}#/first/neuron/{names[1]}")
            expect(page.locator("h1")).to_have_text(f"Neuron {names[1]}")
            assert page.locator("mark").all_inner_texts() == ["river"] and "75 %" in (
                page.locator("main").inner_text()
            )
            page.goto(f"{page_file.as_uri()}#/first/word/music")
            expect(page.locator("h1")).to_contain_text("music")
            assert page.locator("mark").all_inner_texts() == ["green"]
            # A study without them shows no empty section and no empty column.
            for place in (f"neuron/{names[0]}", "word/music"):
                page.goto(f"{page_file.as_uri()}#/plain/{place}")
                expect(page.locator("h1")).to_contain_text(place.split("/")[-1])
                assert "sentence" not in page.locator("main").inner_text().lower()
        browser.close()
