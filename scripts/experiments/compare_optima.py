"""Agreement between conditions about the optimum of the same neuron or group.

For every pair of conditions the table gives the mean and lowest cosine of their optima, and how
often their nearest word is the same.
"""

from itertools import combinations

import numpy as np
import pandas as pd

from study.job import run
from study.results import OBJECTIVE, read_experiment
from textualization.analysis.similarity import unit
from textualization.report.tables import TableFiles, write_for_people


def main(optima, files: TableFiles) -> None:
    optima = read_experiment(optima)
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
    write_for_people(pd.DataFrame(rows), files)


if "snakemake" in globals():
    run(main, snakemake)
