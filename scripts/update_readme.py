"""Carry a finished study's numbers and figures into the README: none of them is typed by hand."""

import shutil
from pathlib import Path

import pandas as pd

from textualization.findings import with_interval
from textualization.presenting import markdown, readable

STUDY, MODEL, NULLS = "default", "minilm-l6", ("permuted", "untrained")
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


def main(readme="README.md", results="results", figures=("recovery", "nulls")) -> None:
    claims = pd.read_csv(Path(results) / STUDY / "claims.csv")
    claims = claims[claims["model"] == MODEL]
    rows = []
    for claim, statement in SHOWN.items():
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
    before, rest = Path(readme).read_text(encoding="utf-8").split("<!-- results -->\n")
    after = rest.split("<!-- end of results -->\n")[1]
    table = markdown(pd.DataFrame(rows))
    text = f"{before}<!-- results -->\n{table}<!-- end of results -->\n{after}"
    Path(readme).write_text(text, encoding="utf-8")
    for name in figures:
        shutil.copyfile(Path(results) / STUDY / MODEL / f"figures/{name}.png", f"docs/{name}.png")


if __name__ == "__main__":
    main()
