"""Recovery against group size, by selection and scope.

Recovery is the share of words that are nearest to the optimum of their own group, with a Wilson
interval over words. Cosines and margins are means with bootstrap intervals over words.
"""

import numpy as np
import pandas as pd

from study.job import run
from textualization.analysis.estimates import Intervals, centre, rate
from textualization.report.tables import TableFiles, write_for_people


def main(groups, intervals: Intervals, files: TableFiles) -> None:
    groups = pd.read_parquet(groups)
    groups["best_word_is_target"] = groups["best_word"] == groups["word"]
    # Restarts and layers of a word are not independent: a word counts once, with its mean.
    words = groups.groupby(["selection", "scope", "size", "word"], as_index=False, sort=False)
    words = words.mean(numeric_only=True)
    rows = []
    for (selection, scope, size), group in words.groupby(["selection", "scope", "size"]):
        row = {"selection": selection, "scope": scope, "size": size, "words": len(group)}
        estimate = rate(group["recovered"], intervals.confidence)
        row |= dict(zip(("recovery", "ci_low", "ci_high"), estimate, strict=True))
        for column in ("target_cosine", "nearest_cosine", "margin"):
            mean = centre(group[column], np.mean, intervals)
            names = (column, f"{column}_low", f"{column}_high")
            row |= dict(zip(names, mean, strict=True))
        row["median_rank"] = group["target_rank"].median()
        row["best_word_is_target"] = group["best_word_is_target"].mean()
        row["word_activation_share"] = (group["word_activation"] / group["activation"]).median()
        row["converged"] = group["converged"].mean()
        row["collapsed"] = group["collapsed"].mean()
        row["broken"] = 1 - group["finite"].mean()
        rows.append(row)
    write_for_people(pd.DataFrame(rows), files)


if "snakemake" in globals():
    run(main, snakemake)
