"""What the optima of contexts are nearest to, and whether two senses or forms have separate optima.

One table gives the share of optima that are nearest to the mean of their context (its phrase or
sentences), to one of its own words, or to another word. The other table compares the two senses of
a word, or the two forms of a pattern: the cosine of their optima, how much nearer each is to its
own sentences than to the other's, and how often this holds for both.
"""

import numpy as np
import pandas as pd

from study.job import run
from study.results import UNITS, read_experiment
from textualization.analysis.estimates import Intervals, centre, rate
from textualization.analysis.similarity import unit
from textualization.report.tables import TableFiles, write_for_people

NEAREST_TO = ("context", "own word", "another word")


def main(optima, intervals: Intervals, files: TableFiles, senses: TableFiles) -> None:
    optima = read_experiment(optima)
    optima = optima[~optima["kind"].isin(UNITS)]
    rows, of_items = [], []
    keys = ["kind", "condition", "size", "null"]
    for names, same in optima.groupby(keys, sort=False):
        row = dict(zip(keys, names, strict=True)) | {"n": len(same)}
        for what in NEAREST_TO:
            column = what.replace(" ", "_")
            found = rate(same["nearest_to"] == what, intervals.confidence)
            bounds = (column, f"{column}_low", f"{column}_high")
            row |= dict(zip(bounds, found, strict=True))
        rows.append(row)
        of_items.append(row | _labels(same, intervals))
    write_for_people(pd.DataFrame(rows), files)
    labels = pd.DataFrame(of_items)
    labels = labels[labels["items"] > 0]
    columns = [*keys, "items", *(c for c in labels if c.startswith(("apart", "own_less", "told")))]
    write_for_people(labels[columns], senses)


def _labels(optima, intervals) -> dict:
    """Compare the optima of the two labels of an item, over all items.

    `apart`: their cosine. `own_less_other`: cosine to the mean of the label's own sentences minus
    cosine to the other's. `told_apart`: how often this difference is positive for both labels.
    """
    apart, nearer, separate = [], [], []
    for _, pair in optima.groupby(["item", "draw"], sort=False):
        if len(pair) != 2:
            continue
        one, other = unit(np.stack(pair["embedding"]))
        apart.append(float(one @ other))
        difference = (pair["context_cosine"] - pair["other_cosine"]).to_numpy()
        nearer.append(difference.mean())
        separate.append((difference > 0).all())
    found = {"items": len(apart)}
    if apart:
        for name, values in (("apart", apart), ("own_less_other", nearer)):
            bounds = (name, f"{name}_low", f"{name}_high")
            found |= dict(zip(bounds, centre(np.array(values), np.mean, intervals), strict=True))
        bounds = ("told_apart", "told_apart_low", "told_apart_high")
        found |= dict(zip(bounds, rate(np.array(separate), intervals.confidence), strict=True))
    return found


if "snakemake" in globals():
    run(main, snakemake)
