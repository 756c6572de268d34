"""Copy finished studies' numbers and figures into the README and docs/.

docs/published.yaml lists the studies. What is in results/ replaces what is in docs/, and is frozen in
docs/data/; every table of the pages is made from there.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from study.published.frozen import overview, publish, read_published, shortened, sources
from study.published.page_tables import (
    DATA,
    HEADLINE_STUDIES,
    SIGNS,
    at_shares,
    bases,
    by_drawn_sentences,
    by_sentences,
    compared,
    conditions,
    directions,
    headline,
    peaks,
    shown_claims,
    side_by_side,
    texts,
    thresholds_in_words,
)
from study.published.study_list import published_studies
from textualization.files import write_text
from textualization.report.csv_tables import read_csv
from textualization.report.tables import markdown

README, PAGE, ARCHITECTURES = "README.md", "docs/results.md", "docs/architectures.md"
EXPLANATION, BASES = "docs/explanation.md", "docs/basis.md"
#: The default study; the paper's full protocol; a model of the paper's size; several models.
STUDY, PROTOCOL, PAPERS_SIZE, COMPARED = "default", "minilm-paper", "mpnet", "real-models"
#: The default study with a corpus.
SENTENCES = "sentences"
#: Tables of experiments: a table's mark, its page, the figure beside it, its file, what makes it.
OF_EXPERIMENTS = (
    ("parametrisation", PAGE, "figures/parametrisation", "numbers.csv", conditions),
    ("basis", BASES, "figures/basis", "numbers.csv", bases),
    ("basis-mpnet", BASES, "figures/basis-mpnet", "numbers.csv", bases),
    ("text-decoder", ARCHITECTURES, "figures/text-decoder", "numbers.csv", texts),
    ("peak", EXPLANATION, "figures/explanation-along", "peak.csv", peaks),
)
#: Calls of `make ask` in the README.
CALLS = (("--word", "music"), ("--neuron", "output/3/120"))
SHOWN = {
    "single.nearest_cosine": "single neurons: cosine of the optimum to its nearest word (mean)",
    "single.utilisation.best_word": "utilisation: share of the optimum's activation, best word (median)",
    "single.utilisation.mean_word": "⤷ words on average",
    "single.utilisation.nearest_word": "⤷ the optimum's own nearest word",
    "single.explanation": "explanation: correlation of closeness to the optimum and activation (mean)",
    "group.recovery.absolute.25": "recovery of the word, groups of 25 neurons (absolute)",
    "group.recovery.absolute.50": "⤷ 50 neurons",
    "group.recovery.absolute.100": "⤷ 100 neurons",
    "group.recovery.absolute.250": "⤷ 250 neurons",
    "group.recovery.ratio_to_max.25": "⤷ 25 neurons, relative to their maximum",
    "group.threshold.absolute.67": "neurons at which 67 % of words are recovered (absolute)",
    "group.threshold.ratio_to_max.67": "⤷ relative to their maximum",
}
#: Claims shown of the study by the paper's full protocol.
SHOWN_OF_PROTOCOL = {claim: SHOWN[claim] for claim in list(SHOWN)[:4]} | {
    "group.recovery.absolute.50": "recovery of the word, groups of 50 neurons (absolute)",
    "group.recovery.absolute.100": "⤷ 100 neurons",
    "group.recovery.absolute.250": "⤷ 250 neurons",
    "group.recovery.absolute.450": "⤷ 450 neurons",
    "group.recovery.ratio_to_max.100": "⤷ 100 neurons, relative to their maximum",
    "group.threshold.absolute.67": SHOWN["group.threshold.absolute.67"],
    "group.threshold.ratio_to_max.67": SHOWN["group.threshold.ratio_to_max.67"],
    "group.threshold.z_score.67": "⤷ by their z-score",
}
#: Claims shown of the model of the paper's size.
SHOWN_OF_SIZE = {claim: SHOWN[claim] for claim in list(SHOWN)[:5]} | {
    "group.recovery.absolute.50": "recovery of the word, groups of 50 neurons (absolute)",
    "group.recovery.absolute.100": "⤷ 100 neurons",
    "group.recovery.absolute.250": "⤷ 250 neurons",
    "group.recovery.absolute.350": "⤷ 350 neurons",
    "group.recovery.absolute.750": "⤷ 750 neurons",
    "group.threshold.absolute.67": SHOWN["group.threshold.absolute.67"],
    "group.threshold.ratio_to_max.67": SHOWN["group.threshold.ratio_to_max.67"],
    "group.explanation.absolute.250": "explanation, groups of 250 neurons (absolute)",
}
#: The six rows of the README.
HEADLINE = {claim: SHOWN[claim] for claim in list(SHOWN)[:2]} | {
    "group.recovery.absolute.100": "recovery of the word, groups of 100 neurons (absolute)",
    "group.recovery.absolute.250": "recovery of the word, groups of 250 neurons (absolute)",
    "group.threshold.absolute.67": SHOWN["group.threshold.absolute.67"],
    "group.threshold.ratio_to_max.67": SHOWN["group.threshold.absolute.67"].replace(
        "absolute", "relative to their maximum"
    ),
}
#: Claims shown of minima beside maxima.
SHOWN_OF_SIGNS = {claim: SHOWN[claim] for claim in (*list(SHOWN)[:2], "single.explanation")} | {
    "group.recovery.absolute.100": "recovery of the word, groups of 100 neurons (absolute)",
    "group.recovery.absolute.250": "recovery of the word, groups of 250 neurons (absolute)",
    "group.threshold.absolute.67": SHOWN["group.threshold.absolute.67"],
}
#: The table of a decoder's groups, of benchmarks/decoder.py.
DECODER = "benchmarks/decoder.md"


def main(results="results", docs="docs") -> int:
    results, docs = Path(results), Path(docs)
    published = read_published(docs / "published.yaml")
    for name, alt in publish(published, results, docs).items():
        for page in docs.glob("*.md"):
            _describe(page, f"{name}.png", shortened(name, alt))
    write_text(overview(published, docs), docs / "data/README.md")
    _put(README, "headline", headline(HEADLINE))
    _describe(README, "docs/figures/recovery-5000.png", thresholds_in_words(DATA / PROTOCOL))
    _put(PAGE, "studies", published_studies(DATA))
    _put(PAGE, "results", shown_claims(DATA / STUDY, SHOWN))
    _put(PAGE, "protocol", shown_claims(DATA / PROTOCOL, SHOWN_OF_PROTOCOL))
    _put(
        PAGE,
        "size",
        shown_claims(DATA / PAPERS_SIZE, SHOWN_OF_SIZE, *HEADLINE_STUDIES[PAPERS_SIZE]),
    )
    _put(PAGE, "signs", side_by_side(SHOWN_OF_SIGNS, SIGNS))
    tables = DATA / SENTENCES / "minilm-l6/tables"
    _put(PAGE, "sentences", by_sentences(read_csv(tables / "sentences.csv")))
    _put(PAGE, "drawn", by_drawn_sentences(read_csv(tables / "utilisation.csv")))
    _put(ARCHITECTURES, "shares", at_shares())
    _put(ARCHITECTURES, "compared", compared(DATA / COMPARED))
    of_model = DATA / STUDY / "minilm-l6"
    _put(EXPLANATION, "directions", directions(read_csv(of_model / "tables/explanation.csv")))
    _put_experiments(published)
    if (groups := results / DECODER).is_file():
        _replace(ARCHITECTURES, "decoder", groups.read_text(encoding="utf-8") + "\n")
    if (results / STUDY / "provenance.json").is_file():
        answers = [_answer(results / STUDY, *words) for words in CALLS]
        _replace(PAGE, "asked", "\n".join(answers))
        atlas = results / STUDY / "atlas/index.html"
        _photograph(atlas, "#/minilm-l6/word/music", "docs/figures/atlas.png")
    # Last, since it fails where new results contradict a sentence.
    return subprocess.run([sys.executable, "scripts/commands/write_answers.py"]).returncode


def _put_experiments(published) -> None:
    """Write the tables of those experiments whose numbers are in docs/data/."""
    drawn_from = sources(published, DATA)
    places = {p.study: p.figures for p in published}
    for mark, page, figure, file, made in OF_EXPERIMENTS:
        if (study := drawn_from.get(figure)) is None:
            continue
        table = (DATA / study / places[study][figure]).with_name(file)
        if table.is_file():
            _put(page, mark, made(read_csv(table)))


def _put(page, mark, table) -> None:
    """Replace the table between two marks."""
    _replace(page, mark, markdown(table))


def _describe(page, image, alt) -> None:
    """Replace the alternative text of an image."""
    text = Path(page).read_text(encoding="utf-8")
    text = re.sub(rf"!\[[^\]]*\](?=\({re.escape(image)}\))", lambda _: f"![{alt}]", text)
    Path(page).write_text(text, encoding="utf-8")


def _replace(page, mark, text) -> None:
    """Replace the text between two marks."""
    before, rest = Path(page).read_text(encoding="utf-8").split(f"<!-- {mark} -->\n")
    after = rest.split(f"<!-- end of {mark} -->\n")[1]
    page_text = f"{before}<!-- {mark} -->\n{text}<!-- end of {mark} -->\n{after}"
    Path(page).write_text(page_text, encoding="utf-8")


def _answer(study: Path, *words: str) -> str:
    """Return the answer of `make ask` as code."""
    command = [sys.executable, "scripts/commands/ask.py", "--study", str(study), *words]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    answer = re.sub(r", in [\d.]+ s$", "", answer, flags=re.MULTILINE)  # of one machine
    return f"```\n{answer.rstrip()}\n```\n"


def _photograph(page: Path, place: str, png: str) -> None:
    """Save a screenshot of a page at a fragment."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 1000, "height": 760})
        shown.goto(page.resolve().as_uri() + place)
        shown.wait_for_selector("figure")
        shown.screenshot(path=png)
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
