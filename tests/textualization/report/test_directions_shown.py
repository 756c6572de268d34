"""Directions in the atlas and in answers, against the tables that they are made of."""

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect, sync_playwright

from atlas_page import document, page_of
from browser import CHROMIUM, watched
from textualization.report import atlas
from textualization.report.answers import direction_answer, direction_name

WORDS = ["music", "‮gnorw", "<b>", *(f"word{i}" for i in range(20))]
NAMES = ["royal/3", "features/2/a/1", "features/2/<i>b</i>"]


def described():
    """Two starts of each direction, as `describe_directions` writes them."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"name": np.repeat(NAMES, 2), "restart": [0, 1] * 3, "site": "output"})
    table["set"] = table["name"].str.split("/").str[0]
    table["layer"] = table["name"].str.split("/").str[1].astype(int)
    for name in (*atlas.OF_OPTIMA, "best_word_activation", "mean", "std"):
        table[name] = rng.random(len(table))
    table["ceiling"] = 2.0
    table["largest_entries"], table["top_words"] = "music word1", "word2 <b> music"
    return table.assign(top_activations=list(rng.random((len(table), 3))))


@pytest.fixture(scope="module")
def made():
    """A model's part with directions, and their table."""
    rng, table = np.random.default_rng(0), described()
    steps = [0, 1, 4]
    curves = pd.DataFrame(
        {
            "row": np.repeat(table.index, 3),
            "step": steps * len(table),
            "activation": rng.random(3 * len(table)),
        }
    )
    e, found = rng.normal(size=(len(WORDS), 4)), rng.normal(size=(len(table), 4))
    shown = atlas.directions_of(table, curves, found, WORDS, e, np.ones(len(WORDS), bool), 5)
    nulls = table.assign(null="permuted", nearest_cosine=rng.random(len(table)))
    part = document(rng, WORDS, 3, 2, 4, [2])
    part |= {"directions": atlas.columns(shown[0]), "direction_steps": shown[1]}
    part["direction_nulls"] = atlas.columns(atlas.nulls_by_layer(nulls, "set"))
    cosines = found @ e.T / np.linalg.norm(found, axis=1)[:, None] / np.linalg.norm(e, axis=1)
    return part, table, nulls, cosines


def test_a_directions_first_start_is_shown_with_all_starts_activations(made):
    part, table, _, cosines = made
    shown = part["directions"]
    assert shown["name"] == NAMES and part["direction_steps"] == [0, 1, 4]
    for place, name in enumerate(NAMES):
        own = table[table["name"] == name]
        first = own.index[0]
        assert shown["activation"][place] == pytest.approx(own["activation"][first], rel=1e-3)
        assert shown["starts"][place] == pytest.approx(own["activation"].tolist(), rel=1e-3)
        assert shown["max"][place] == pytest.approx(own["best_word_activation"][first], rel=1e-3)
        assert shown["top_words"][place] == ["word2", "<b>", "music"]
        assert shown["nearest_words"][place][0] == WORDS[cosines[first].argmax()]
        assert shown["nearest_cosines"][place][0] == pytest.approx(cosines[first].max(), rel=1e-3)


def test_in_a_study_of_minima_the_name_has_a_minus(made):
    part, *_ = made
    assert direction_name(part | {"seek": "minimum"}, "royal/3") == "-royal/3"
    assert direction_name(part | {"seek": "maximum"}, "royal/3") == "royal/3"


def test_an_answer_holds_its_numbers_words_and_the_nulls_of_its_set(made):
    part, _, nulls, _ = made
    own = {key: values[1] for key, values in part["directions"].items()}
    text = "\n".join(direction_answer(part, own))
    for name in ("activation", "ceiling", "start_activation"):
        assert f"{own[name]:.3g}" in text
    assert "activating words word2 " in text and "this direction" in text
    medians = nulls.groupby(["set", "layer"])["nearest_cosine"].median()
    assert f"{medians['features', 2]:.3f}" in text and f"{medians['royal', 3]:.3f}" not in text
    assert text.count("permuted, same set and layer (medians)") == 1
    without = {key: value for key, value in part.items() if key != "direction_nulls"}
    assert "permuted" not in "\n".join(direction_answer(without, own))


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium (apt-get install chromium)")
def test_the_page_lists_directions_and_shows_each(made, tmp_path):
    part, _, nulls, _ = made
    alone = {key: part[key] for key in ("neurons", "words")}
    alone |= {key: value for key, value in part.items() if key.startswith("direction")}
    without = {key: value for key, value in part.items() if not key.startswith("direction")}
    documents = {"first": part, "alone": alone, "without": without}
    (tmp_path / "index.html").write_text(page_of(documents, study="x"), encoding="utf-8")
    address, median = (tmp_path / "index.html").as_uri(), nulls.groupby(["set", "layer"])
    median = median["nearest_cosine"].median()["features", 2]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with watched(browser) as page:
            page.goto(f"{address}#/first/directions")
            expect(page.locator("h1")).to_have_text("Directions")
            assert page.locator("td a[href*='/direction/']").all_inner_texts() == NAMES
            page.get_by_role("link", name=NAMES[2]).click()
            expect(page.locator("h1")).to_have_text(f"Direction {NAMES[2]}")
            text = page.locator("main").inner_text()
            own = {key: values[2] for key, values in part["directions"].items()}
            for name in ("activation", "ceiling", "max", "explanation"):
                assert f"{float(f'{own[name]:.3g}'):g}" in text, name
            assert "The input that activates this direction most" in text
            assert "Medians over directions of the same set and layer in null models" in text
            assert f"{float(f'{median:.3g}'):g}" in text and "2 sets" not in text
            page.locator("#search").fill("ROYAL")
            expect(page.locator("#found li")).to_have_text(["royal/3 direction"])
            page.keyboard.press("Enter")
            expect(page.locator("h1")).to_have_text("Direction royal/3")
            # A study of directions alone has no optima of neurons and no groups.
            page.goto(f"{address}#/alone")
            expect(page.locator("h1")).to_have_text("x: alone")
            assert "3 in 2 sets" in page.locator("main").inner_text()
            page.goto(f"{address}#/without")
            expect(page.locator("h1")).to_have_text("x: without")
            assert "direction" not in page.locator("main").inner_text().lower()
            page.goto(f"{address}#/without/directions")
            expect(page.locator("main")).to_contain_text("This study has no directions.")
        browser.close()
