"""What the optima of contexts are nearest to, and whether two labels of an item lead apart."""

import numpy as np
import pandas as pd

from running import run
from sweeping import UNITS, read_sweep
from textualization.estimates import centre, rate
from textualization.presenting import write_for_people
from textualization.similarity import unit

NEAREST_TO = ("context", "own word", "another word")


def main(
    optima,
    confidence,
    resamples,
    seed,
    csv,
    md,
    tex,
    html,
    senses_csv,
    senses_md,
    senses_tex,
    senses_html,
) -> None:
    how = {"confidence": confidence, "resamples": resamples, "seed": seed}
    optima = read_sweep(optima)
    optima = optima[~optima["kind"].isin(UNITS)]
    rows, of_items = [], []
    keys = ["kind", "condition", "size", "null"]
    for names, same in optima.groupby(keys, sort=False):
        row = dict(zip(keys, names, strict=True)) | {"n": len(same)}
        for what in NEAREST_TO:
            column = what.replace(" ", "_")
            found = rate(same["nearest_to"] == what, confidence)
            bounds = (column, f"{column}_low", f"{column}_high")
            row |= dict(zip(bounds, found, strict=True))
        rows.append(row)
        of_items.append(row | _labels(same, how))
    write_for_people(pd.DataFrame(rows), csv, md, tex, html)
    senses = pd.DataFrame(of_items)
    senses = senses[senses["items"] > 0]
    columns = [*keys, "items", *(c for c in senses if c.startswith(("apart", "own_less", "told")))]
    write_for_people(senses[columns], senses_csv, senses_md, senses_tex, senses_html)


def _labels(optima, how) -> dict:
    """Over items of two labels: the cosine of both optima, and whether each lies nearer its own.

    `apart`: the cosine of the optima of both labels. `own_less_other`: cosine to the mean of the
    label's own sentences less that of the other's. `told_apart`: how often that is positive for both.
    """
    apart, nearer, told = [], [], []
    for _, pair in optima.groupby(["item", "draw"], sort=False):
        if len(pair) != 2:
            continue
        one, other = unit(np.stack(pair["embedding"]))
        apart.append(float(one @ other))
        difference = (pair["context_cosine"] - pair["other_cosine"]).to_numpy()
        nearer.append(difference.mean())
        told.append((difference > 0).all())
    found = {"items": len(apart)}
    if apart:
        for name, values in (("apart", apart), ("own_less_other", nearer)):
            bounds = (name, f"{name}_low", f"{name}_high")
            found |= dict(zip(bounds, centre(np.array(values), np.mean, **how), strict=True))
        bounds = ("told_apart", "told_apart_low", "told_apart_high")
        found |= dict(zip(bounds, rate(np.array(told), how["confidence"]), strict=True))
    return found


if "snakemake" in globals():
    run(
        main,
        snakemake,
        optima=snakemake.input.optima,
        **dict(snakemake.params.items()),
        **dict(snakemake.output.items()),
    )
