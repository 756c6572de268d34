"""Carry a finished study's numbers and figures into the README: none of them is typed by hand."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd

from textualization.findings import with_interval
from textualization.presenting import markdown, readable

STUDY, MODEL, NULLS = "default", "minilm-l6", ("permuted", "untrained")
#: The study of the open questions; the experiment whose numbers, and those whose figures are shown.
QUESTIONS, EXPERIMENT = "questions", "parametrisation"
QUESTIONS_FIGURES = ("parametrisation", "decomposition")
#: What the README asks.
ASKED = (("--word", "music"), ("--neuron", "output/3/120"))
#: Characters of an alt text in the README; the whole is in docs/.
ALOUD = 800
GROUPS_SHOWN = {
    "nearest_cosine": "cosine to the nearest word",
    "activation_share": "activation, share of the highest",
    "recovered": "recovery",
}
SHOWN = {
    "single.nearest_cosine": "single neurons: cosine of the optimum to its nearest word (mean)",
    "single.utilisation.best_word": "utilisation: share of the optimum's activation, best word (median)",
    "single.utilisation.mean_word": "⤷ words on average",
    "single.utilisation.nearest_word": "⤷ the optimum's own nearest word",
    "group.recovery.absolute.25": "recovery of the word, groups of 25 neurons (absolute)",
    "group.recovery.absolute.50": "⤷ 50 neurons",
    "group.recovery.absolute.100": "⤷ 100 neurons",
    "group.recovery.absolute.250": "⤷ 250 neurons",
    "group.recovery.ratio_to_max.25": "⤷ 25 neurons, relative to their maximum",
    "group.threshold.absolute.67": "neurons at which 67 % of words come back (absolute)",
    "group.threshold.ratio_to_max.67": "⤷ relative to their maximum",
}

#: The paper's protocol in full on the same model: what is shown of it.
PROTOCOL = "minilm-paper"
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


def main(readme="README.md", results="results", figures=("recovery", "nulls")) -> None:
    _put(readme, "results", markdown(_claims(Path(results) / STUDY, SHOWN)))
    if (Path(results) / PROTOCOL / "claims.csv").is_file():
        _put(readme, "protocol", markdown(_claims(Path(results) / PROTOCOL, SHOWN_OF_PROTOCOL)))
        png = Path(results) / PROTOCOL / MODEL / "figures/recovery.png"
        _show(readme, "recovery-5000", png)
    answers = [_asked(Path(results) / STUDY, *words) for words in ASKED]
    _put(readme, "asked", "\n".join(answers))
    for name in figures:
        _show(readme, name, Path(results) / STUDY / MODEL / f"figures/{name}.png")
    _photograph(
        Path(results) / STUDY / "atlas/index.html", "#/minilm-l6/word/music", "docs/atlas.png"
    )
    experiments = Path(results) / QUESTIONS / MODEL / "experiments"
    if (experiments / EXPERIMENT / "numbers.csv").is_file():
        numbers = pd.read_csv(experiments / EXPERIMENT / "numbers.csv")
        _put(readme, "questions", markdown(_conditions(numbers)))
        for name in QUESTIONS_FIGURES:
            _show(readme, name, experiments / name / "figure.png")


def _claims(study: Path, shown: dict[str, str]) -> pd.DataFrame:
    """Some of a study's claims beside the paper's numbers and the null models'."""
    claims = pd.read_csv(study / "claims.csv")
    claims = claims[claims["model"] == MODEL]
    rows = []
    for claim, statement in shown.items():
        rows_of = claims[claims["claim"] == claim]
        own = rows_of.set_index(rows_of["null_model"].fillna(""))
        here = own.loc[""]
        row = {"what": statement}
        row["paper, BERT-base"] = "" if pd.isna(here["paper"]) else str(here["paper"])
        row["MiniLM"] = with_interval(here["value"], here["ci_low"], here["ci_high"])
        for null in NULLS:
            value = readable(float(own.loc[null, "null_value"])) or "not reached"
            excess = with_interval(*own.loc[null, ["excess", "excess_low", "excess_high"]])
            told = f"{value}; {excess}" if pd.notna(own.loc[null, "excess"]) else value
            row[f"{null}: value; MiniLM's excess over it"] = told
        rows.append(row)
    return pd.DataFrame(rows)


def _show(readme, name, png) -> None:
    """Carry a figure and its alt text into docs/; a long one is cut short in the README."""
    shutil.copyfile(png, f"docs/{name}.png")
    alt = png.with_suffix(".txt").read_text(encoding="utf-8").strip()
    Path(f"docs/{name}.txt").write_text(alt + "\n", encoding="utf-8")
    if len(alt) > ALOUD:
        alt = f"{alt[:ALOUD].rpartition('; ')[0]}; and more, see docs/{name}.txt"
    text = Path(readme).read_text(encoding="utf-8")
    text = re.sub(rf"!\[[^\]]*\](?=\(docs/{name}\.png\))", lambda _: f"![{alt}]", text)
    Path(readme).write_text(text, encoding="utf-8")


def _put(readme, mark, table) -> None:
    """Replace what stands between two marks."""
    before, rest = Path(readme).read_text(encoding="utf-8").split(f"<!-- {mark} -->\n")
    after = rest.split(f"<!-- end of {mark} -->\n")[1]
    text = f"{before}<!-- {mark} -->\n{table}<!-- end of {mark} -->\n{after}"
    Path(readme).write_text(text, encoding="utf-8")


def _asked(study: Path, *words: str) -> str:
    """What `make ask` answers, as code."""
    command = [sys.executable, "scripts/ask.py", "--study", str(study), *words]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return f"```\n{answer.rstrip()}\n```\n"


def _photograph(page: Path, place: str, png: str) -> None:
    """How a page looks at a place in it, as a browser shows it first."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 1000, "height": 760})
        shown.goto(page.resolve().as_uri() + place)
        shown.wait_for_selector("figure")
        shown.screenshot(path=png)
        browser.close()


def _conditions(numbers) -> pd.DataFrame:
    """A row per condition: groups' closeness to words, activation, recovery; a null model's recovery."""
    own = numbers[(numbers["of"] == "group")]
    rows = []
    for condition in own["condition"].unique():
        row = {"condition": condition.replace("_", " ")}
        for statistic, name in GROUPS_SHOWN.items():
            same = own[(own["condition"] == condition) & (own["statistic"] == statistic)]
            here = same[same["null_model"].isna()].iloc[0]
            row[name] = with_interval(here["value"], here["ci_low"], here["ci_high"])
            null = same[same["null_model"] == NULLS[0]]["null_value"]
            if statistic == "recovered":
                row[f"{NULLS[0]}: {name}"] = readable(float(null.iloc[0])) if len(null) else ""
        rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    main()
