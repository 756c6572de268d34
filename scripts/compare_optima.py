"""Which conditions of an experiment lead to the same optima."""

from itertools import combinations

import numpy as np
import pandas as pd

from running import run
from sweeping import OBJECTIVE, read_sweep
from textualization.presenting import write_for_people
from textualization.similarity import unit


def main(optima, csv, md, tex, html) -> None:
    optima = read_sweep(optima)
    rows = []
    for (null, kind), same in optima.groupby(["null", "kind"], sort=False):
        found = {
            condition: of.set_index(OBJECTIVE)[["embedding", "nearest_word", "recovered"]]
            for condition, of in same.groupby("condition", sort=False)
        }
        for one, other in combinations(found, 2):
            both = found[one].join(found[other], how="inner", suffixes=("", "_other"))
            if not len(both):
                continue
            first, second = (
                unit(np.stack(both[name])) for name in ("embedding", "embedding_other")
            )
            cosine = (first * second).sum(axis=1)
            row = {"null": null, "of": kind, "condition": one, "other": other, "n": len(both)}
            row |= {"cosine": cosine.mean(), "lowest_cosine": cosine.min()}
            row["same_nearest_word"] = (both["nearest_word"] == both["nearest_word_other"]).mean()
            if kind == "group":
                row["same_recovery"] = (both["recovered"] == both["recovered_other"]).mean()
            rows.append(row)
    write_for_people(pd.DataFrame(rows), csv, md, tex, html)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        optima=snakemake.input.optima,
        **dict(snakemake.output.items()),
    )
