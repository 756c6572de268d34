"""The atlas in a real browser, from disk: search, links, sorting, strange words, phones, the dark."""

import json
import re

import numpy as np
import pytest
from playwright.sync_api import expect, sync_playwright

from atlas_page import document, page_of
from browser import CHROMIUM, watched

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium (apt-get install chromium)")

#: Words that a page could trip over: markup, quotes, another direction, another alphabet, no letter.
STRANGE = ["<script>document.title=1</script>", "<b>bold</b>", "a&amp;b", "\"double\" 'single'"]
STRANGE += [
    "עברית",
    "‮gnorw",
    "😀",
    "##ing",
    "a/b",
    "100%",
    "%41",
    "?x=1#y",
    "␣the",
    "__proto__",
    "constructor",
]
PLAIN = ["music", "musical", "must", "amuse", "tiger", "Tiger", "seven", "42", "river", "stone"]
WORDS = [*STRANGE, *PLAIN, *(f"word{i}" for i in range(60)), "café", "007"]


@pytest.fixture(scope="module")
def documents():
    made = {
        name: document(np.random.default_rng(seed), WORDS, len(STRANGE) + 5, 3, 20, [2, 5, 9])
        for name, seed in (("first", 0), ("second model", 1))
    }
    # Of the second, one neuron was not ascended on.
    made["second model"]["optima"] = {k: v[1:] for k, v in made["second model"]["optima"].items()}
    return made


@pytest.fixture(scope="module")
def address(documents, tmp_path_factory):
    path = tmp_path_factory.mktemp("atlas") / "index.html"
    path.write_text(page_of(documents, study="strange <i>study</i>"), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, address):
    with watched(browser) as page:
        page.set_default_timeout(10_000)
        page.goto(address)
        page.wait_for_selector("h1")
        yield page


def search_box(page):
    return page.get_by_role("combobox", name="Find a neuron or a word")


def heading(page, text):
    expect(page.locator("h1")).to_have_text(text)


def column(page, caption, place):
    """The texts of a column of the table with this caption."""
    table = page.locator("table", has=page.locator("caption", has_text=re.compile(caption)))
    return table.locator(f"tbody tr > :nth-child({place})").all_inner_texts()


def test_a_word_is_found_by_typing_and_opened_by_keys_alone(page):
    page.keyboard.press("/")
    expect(search_box(page)).to_be_focused()
    page.keyboard.type("mus")
    options = page.get_by_role("option")
    # Targets first, then words that begin so, then those that have it within.
    assert options.all_inner_texts()[:4] == [
        "music target word",
        "musical target word",
        "must target word",
        "amuse target word",
    ]
    expect(search_box(page)).to_have_attribute("aria-activedescendant", "found-0")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    heading(page, "Word musical")
    assert page.evaluate("location.hash") == "#/first/word/musical"
    expect(page.locator("main")).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("Word musical")
    page.go_back()
    heading(page, "strange <i>study</i>: first")


@pytest.mark.parametrize(
    ("typed", "word"), [("cafe\u0301", "café"), ("CAFÉ", "café"), ("007", "007")]
)
def test_a_word_is_found_in_any_spelling_of_its_accents_and_as_text(page, typed, word):
    search_box(page).fill(typed)
    expect(page.get_by_role("option").first).to_have_text(f"{word} word")
    page.keyboard.press("Enter")
    heading(page, f"Word {word}")


def test_a_neuron_is_found_by_layer_and_index(page, documents):
    box = search_box(page)
    for typed in ("2 7", "output/2/7", "out 2 7", "layer 2 7", "L2 7"):
        box.fill(typed)
        expect(page.get_by_role("option").first).to_have_text("output/2/7 neuron")
    box.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    box.fill("output 2 7")
    page.get_by_role("option").first.click()
    heading(page, "Neuron output/2/7")
    optima = documents["first"]["optima"]
    row = 20 + 7
    facts = page.locator(".facts").first.inner_text()
    for name in ("activation", "ceiling", "start_activation"):
        assert f"{float(f'{optima[name][row]:.3g}'):g}" in facts
    assert column(page, "Nearest words", 1) == optima["nearest_words"][row]
    assert column(page, "activate it most", 1) == documents["first"]["neurons"]["top_words"][row]
    expect(page.get_by_role("img", name="Activation along the ascent")).to_be_visible()
    assert len(column(page, "of the same layer", 1)) == 2 + 4
    own, start, *nulls = column(page, "of the same layer", 6)
    assert [own, start] == [
        short(optima[name][row]) for name in ("explanation", "start_explanation")
    ]
    of_nulls = documents["first"]["nulls"]
    assert nulls == [
        short(value)
        for value, layer in zip(of_nulls["explanation"], of_nulls["layer"], strict=True)
        if layer == 2
    ]


def short(value):
    """A number as the page shows it."""
    return f"{float(f'{value:.3g}'):g}"


def test_a_neuron_shows_what_its_optimum_explains(page, documents):
    part, row = documents["first"], 20 + 7
    page.goto(page.url.split("#")[0] + "#/first/neuron/output/2/7")
    section = page.locator("section", has=page.get_by_role("heading", name="optimum explains"))
    text = section.inner_text()
    for name in ("explanation", "start_explanation"):
        assert short(part["optima"][name][row]) in text
    for near, name in (("100", "precision_100"), ("1,000", "precision_1000")):
        # As in JavaScript, halves are rounded up.
        assert f"{int(100 * part['optima'][name][row] + 0.5)} among the {near} nearest" in text
    top = part["neurons"]["top_words"][row]
    others = [word for word in part["scatter"]["words"] if word not in top]
    figure = section.get_by_role("img", name=f"{len(others)} words that were drawn once")
    expect(figure.locator("circle")).to_have_count(len(others))
    expect(figure.locator("[fill='var(--series-1)'] path")).to_have_count(len(top))
    figure.locator("circle").first.hover(force=True)
    expect(figure).to_contain_text(re.compile(r"cosine \S+, activation \S+"))


def test_the_front_page_says_what_one_sees_what_was_found_and_how_to_read_it(page):
    told = page.locator("main .prose p")
    expect(told).to_have_count(3)
    expect(told.nth(0)).to_contain_text("the input that activates it most")
    expect(told.nth(1)).to_have_text("What was found in first.")
    expect(told.nth(2)).to_contain_text("null models")


def test_a_neurons_page_says_its_numbers_in_words(page, documents):
    optima, neurons = (documents["first"][part] for part in ("optima", "neurons"))
    row = 20 + 7
    page.goto(page.url.split("#")[0] + "#/first/neuron/output/2/7")
    told = page.locator("main > p.prose").inner_text()
    assert optima["nearest_words"][row][0] in told and neurons["top_words"][row][0] in told
    assert f"a cosine of {short(optima['nearest_cosines'][row][0])} (null models: " in told
    assert f"a correlation of {short(optima['explanation'][row])} (null models: " in told


def test_a_column_without_a_number_is_not_shown(browser, documents, tmp_path):
    part = documents["first"]
    optima = part["optima"] | {"explanation": [None] * len(part["optima"]["explanation"])}
    path = tmp_path / "index.html"
    path.write_text(page_of({"first": part | {"optima": optima}}), "utf-8")
    with watched(browser) as page:
        for address, there in (("#/first/neurons", "Cosine to the nearest word"),):
            page.goto(f"{path.as_uri()}{address}")
            expect(page.get_by_role("columnheader", name=there)).to_have_count(1)
            expect(page.get_by_role("columnheader", name="Explanation")).to_have_count(0)


def test_a_neuron_whose_explanation_is_not_known_says_so(browser, documents, tmp_path):
    part = documents["first"]
    names = ("explanation", "start_explanation", "precision_100", "precision_1000")
    optima = part["optima"] | {name: [None] * 60 for name in names}
    path = tmp_path / "index.html"
    none = [[None] * len(part["scatter"]["words"])] * 60
    unknown = part["scatter"] | {"cosines": none, "top_cosines": [[None] * 10] * 60}
    path.write_text(page_of({"first": part | {"optima": optima, "scatter": unknown}}), "utf-8")
    with watched(browser) as page:
        page.goto(f"{path.as_uri()}#/first/neuron/output/2/7")
        section = page.locator("section", has=page.get_by_role("heading", name="optimum explains"))
        expect(section.locator("dd")).to_have_text(["–"])
        expect(section.get_by_role("img")).to_have_count(0)


def test_a_neuron_names_the_groups_that_it_is_in(page, documents):
    rankings = documents["first"]["rankings"]
    neuron = rankings["absolute"][3][1]
    page.goto(page.url.split("#")[0] + f"#/first/neuron/output/{neuron // 20 + 1}/{neuron % 20}")
    table = list(
        zip(
            *(column(page, "groups, by the neuron's place", place) for place in (1, 2, 3)),
            strict=True,
        )
    )
    targets = documents["first"]["targets"]["word"]
    truth = {
        (
            targets[t],
            selection.replace("_", " ").replace("z score", "z-score"),
            str(ranking.index(neuron) + 1),
        )
        for selection, of_targets in rankings.items()
        for t, ranking in enumerate(of_targets)
        if neuron in ranking
    }
    assert len(truth) > 3 and set(table) == truth


def test_a_word_shows_its_groups_and_who_shares_their_neurons(page, documents):
    part = documents["first"]
    targets = part["targets"]["word"]
    page.goto(page.url.split("#")[0] + "#/first/word/music?selection=z_score&size=5")
    heading(page, "Word music")
    groups = part["groups"]
    own = [i for i, word in enumerate(groups["word"]) if word == "music"]
    shown = column(page, "Optima of its groups", 4)
    assert shown.count("yes") == sum(groups["recovered"][i] for i in own)
    assert len(shown) == len(own) == 9
    explained = column(page, "Optima of its groups", 10)
    assert sorted(explained) == sorted(short(groups["explanation"][i]) for i in own)
    ranking = part["rankings"]["z_score"]
    mine = set(ranking[targets.index("music")][:5])
    shared = {word: len(mine & set(r[:5])) for word, r in zip(targets, ranking, strict=True)}
    truth = {word: str(n) for word, n in shared.items() if n and word != "music"}
    words, counts = (column(page, "share most neurons", place) for place in (1, 2))
    assert dict(zip(words, counts, strict=True)) == truth
    page.get_by_role("combobox", name="Group size").select_option("9")
    page.wait_for_function("location.hash.includes('size=9')")
    expect(page.get_by_role("img", name="Layers of the 9 neurons")).to_be_visible()


def test_every_word_shows_as_it_is(page, documents):
    for word in STRANGE:
        search_box(page).fill(word)
        page.get_by_role("option", name=f"{word} target word", exact=True).click()
        heading(page, f"Word {word}")
        assert page.evaluate("decodeURIComponent(location.hash.split('/').at(-1))") == word
        page.reload()
        heading(page, f"Word {word}")
    page.goto(page.url.split("#")[0] + "#/first/words")
    assert set(column(page, "Target words", 1)) <= set(documents["first"]["targets"]["word"])
    assert {"<b>bold</b>", "a&amp;b"} <= set(column(page, "Target words", 1))
    assert page.locator("main b, main i, main script").count() == 0


def test_a_table_sorts_by_click_and_by_key_and_the_link_keeps_it(page, documents):
    page.goto(page.url.split("#")[0] + "#/first/neurons")
    cosines = [row[0] for row in documents["first"]["optima"]["nearest_cosines"]]
    header = page.get_by_role("columnheader", name=re.compile("Cosine to the nearest word"))
    header.click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    lowest = [f"{float(f'{c:.3g}'):g}" for c in sorted(cosines)[:3]]
    assert column(page, "^Neurons", 2)[:3] == lowest
    header.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(header).to_have_attribute("aria-sort", "descending")
    highest = [f"{float(f'{c:.3g}'):g}" for c in sorted(cosines, reverse=True)[:3]]
    assert column(page, "^Neurons", 2)[:3] == highest
    assert page.evaluate("location.hash") == "#/first/neurons?sort=cosine&dir=desc"
    page.reload()
    expect(header).to_have_attribute("aria-sort", "descending")
    assert column(page, "^Neurons", 2)[:3] == highest


def test_every_layer_leads_to_its_neurons(page):
    multiples = page.locator("a.multiple")
    expect(multiples).to_have_count(3)
    page.get_by_label("Show").select_option("share")
    page.wait_for_function("location.hash.includes('measure=share')")
    page.get_by_label("Show").select_option("explanation")
    page.wait_for_function("location.hash.includes('measure=explanation')")
    expect(page.locator("figure.wide")).to_contain_text("dashed: medians of null models")
    multiples.nth(1).click()
    expect(page.get_by_role("combobox", name="Layer")).to_have_value("2")
    assert all(name.startswith("output/2/") for name in column(page, "layer 2", 1))


def test_models_are_chosen_and_a_neuron_without_an_optimum_says_so(page):
    page.get_by_label("Model").select_option("second model")
    heading(page, "strange <i>study</i>: second model")
    page.goto(page.url.split("#")[0] + "#/second%20model/neuron/output/1/0")
    expect(page.locator("main")).to_contain_text("make ask NEURON=output/1/0")
    expect(page.locator("main")).to_contain_text("The words that activate it most")
    page.goto(page.url.split("#")[0] + "#/second%20model/neurons")
    expect(page.get_by_label("Which")).to_have_value("")
    assert "output/1/0" not in column(page, "^Neurons", 1)
    page.get_by_label("Which").select_option("yes")
    page.wait_for_function("location.hash.includes('all=yes')")
    assert column(page, "^Neurons", 1)[0] == "output/1/0"


def test_a_study_of_neurons_or_of_groups_alone_shows_what_it_has(browser, documents, tmp_path):
    of_singles, of_groups = ("optima", "steps", "nulls"), ("targets", "groups", "rankings")
    of_groups += ("thresholds", "recovery")
    halves = {
        name: {key: value for key, value in documents["first"].items() if key not in left_out}
        for name, left_out in (("neurons", of_groups), ("groups", of_singles))
    }
    path = tmp_path / "index.html"
    path.write_text(page_of(halves), encoding="utf-8")
    with watched(browser) as page:
        for model in halves:
            for place in ("", "/neurons", "/neuron/output/1/0", "/word/music"):
                page.goto("about:blank")
                page.goto(f"{path.as_uri()}#/{model}{place}")
                page.wait_for_selector("h1")
                expect(page.locator("h1")).not_to_have_text("Not found")
        page.goto(f"{path.as_uri()}#/neurons/words")
        heading(page, "Not found")


@pytest.mark.parametrize(
    "fragment",
    [
        "#/nobody",
        "#/first/neuron/output/9/9",
        "#/first/word/unheard",
        "#/first/nowhere",
        "#/first/word/%",
    ],
)
def test_a_link_to_nothing_says_so(page, fragment):
    page.goto(page.url.split("#")[0] + fragment)
    heading(page, "Not found")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_whole_in_light_and_dark(browser, address, scheme):
    viewport = {"width": 360, "height": 740}
    with watched(browser, viewport=viewport, color_scheme=scheme) as page:
        for fragment in (
            "#/",
            "#/first/neuron/output/1/0",
            "#/first/word/music",
            "#/first/neurons",
        ):
            page.goto("about:blank")
            page.goto(address + fragment)
            page.wait_for_selector("h1")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (max(map(int, re.findall(r"\d+", ground))) < 64) == (scheme == "dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_and_used_with_a_screen_reader(browser, address, scheme):
    """Axe's rules for WCAG 2.1 A and AA: names, roles, contrast, order of headings."""
    from axe_playwright_python.sync_playwright import Axe

    with watched(browser, color_scheme=scheme) as page:
        for fragment in (
            "#/",
            "#/first/neuron/output/1/0",
            "#/first/word/music",
            "#/first/neurons",
        ):
            page.goto("about:blank")
            page.goto(address + fragment)
            page.wait_for_selector("h1")
            found = Axe().run(page).response["violations"]
            faults = [(f["id"], [node["html"][:200] for node in f["nodes"][:3]]) for f in found]
            assert faults == [], json.dumps(faults, indent=1, ensure_ascii=False)
