"""Carry finished studies' numbers and figure into the README: none of them is typed by hand."""

import shutil
from pathlib import Path

import pandas as pd

from textualization.presenting import markdown, readable

#: Studies shown beside the paper, with the README's name for each. One that was not run is left out.
STUDIES = {"default": "`make demo`", "minilm-5000": "5,000 steps"}
MODEL = "minilm-l6"
SHOWN = {
    "single.nearest_cosine": "single neurons: cosine of the optimum to its nearest word (mean)",
    "single.nearest_cosine.start": "⤷ null: the un-optimised start",
    "single.nearest_is_best_word": "single neurons whose nearest word is the one that excites them most",
    "single.utilisation.best_word": "utilisation: share of the optimum's activation, best word (median)",
    "single.utilisation.mean_word": "⤷ words on average",
    "single.utilisation.nearest_word": "⤷ the optimum's own nearest word",
    "single.converged": "single neurons whose ascent had come to rest",
    "group.recovery.absolute.10": "recovery of the word, groups of 10 neurons (absolute)",
    "group.recovery.absolute.50": "⤷ 50 neurons",
    "group.recovery.absolute.100": "⤷ 100 neurons",
    "group.recovery.absolute.250": "⤷ 250 neurons",
    "group.recovery.absolute.1000": "⤷ 1,000 neurons",
    "group.threshold.absolute.67": "neurons at which 67 % of words come back: absolute selection",
    "group.threshold.ratio_to_max.67": "⤷ relative to the neuron's maximum",
    "group.threshold.z_score.67": "⤷ relative to its mean and deviation",
}


def main(readme="README.md", results="results", figure="docs/recovery.png") -> None:
    found = {
        title: pd.read_csv(path).set_index(["claim", "model"])
        for study, title in STUDIES.items()
        if (path := Path(results) / study / "claims.csv").is_file()
    }
    rows = []
    for claim, statement in SHOWN.items():
        row = {"what": statement}
        for title, claims in found.items():
            here = claims.loc[claim, MODEL]
            row["paper, BERT-base"] = "" if pd.isna(here["paper"]) else str(here["paper"])
            low, high = readable(float(here["ci_low"])), readable(float(here["ci_high"]))
            row[f"MiniLM, {title}"] = f"{readable(float(here['value']))} [{low}, {high}]"
        rows.append(row)
    before, rest = Path(readme).read_text(encoding="utf-8").split("<!-- results -->\n")
    after = rest.split("<!-- end of results -->\n")[1]
    table = markdown(pd.DataFrame(rows))
    text = f"{before}<!-- results -->\n{table}<!-- end of results -->\n{after}"
    Path(readme).write_text(text, encoding="utf-8")
    shutil.copyfile(Path(results) / "default" / MODEL / "figures/recovery.png", figure)


if __name__ == "__main__":
    main()
