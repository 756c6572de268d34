"""Recovery against group size, per selection and scope."""

import numpy as np
import pandas as pd

from running import run
from textualization.estimates import centre, rate
from textualization.presenting import write_for_people


def main(groups, confidence, resamples, seed, csv, md, tex, html) -> None:
    groups = pd.read_parquet(groups)
    groups["best_word_is_target"] = groups["best_word"] == groups["word"]
    # Restarts and layers of one word are not independent: a word counts once, with its mean.
    words = groups.groupby(["selection", "scope", "size", "word"], as_index=False, sort=False)
    words = words.mean(numeric_only=True)
    rows = []
    for (selection, scope, size), group in words.groupby(["selection", "scope", "size"]):
        row = {"selection": selection, "scope": scope, "size": size, "words": len(group)}
        estimate = rate(group["recovered"], confidence)
        row |= dict(zip(("recovery", "ci_low", "ci_high"), estimate, strict=True))
        for column in ("target_cosine", "nearest_cosine", "margin"):
            mean = centre(group[column], np.mean, confidence, resamples, seed)
            names = (column, f"{column}_low", f"{column}_high")
            row |= dict(zip(names, mean, strict=True))
        row["median_rank"] = group["target_rank"].median()
        row["best_word_is_target"] = group["best_word_is_target"].mean()
        row["word_activation_share"] = (group["word_activation"] / group["activation"]).median()
        row["converged"] = group["converged"].mean()
        row["collapsed"] = group["collapsed"].mean()
        row["broken"] = 1 - group["finite"].mean()
        rows.append(row)
    write_for_people(pd.DataFrame(rows), csv, md, tex, html)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        groups=snakemake.input.groups,
        **dict(snakemake.params.items()),
        **dict(snakemake.output.items()),
    )
