"""Groups' headline numbers beside their nulls, over the words that both have."""

import numpy as np
import pandas as pd

from comparing import Comparison, compared, write_comparisons
from optima import read_nulls
from running import run
from textualization.nulls import derangement
from textualization.starts import generator
from textualization.thresholds import threshold_excess


def main(
    groups, null_groups, objectives, draws, levels, confidence, resamples, permutations, seed,
    csv, md, tex, html,
) -> None:  # fmt: skip
    how = {"confidence": confidence, "resamples": resamples, "seed": seed}
    groups, nulls = pd.read_parquet(groups), read_nulls(null_groups)
    groups = groups[groups["scope"] == "model"]
    if "other_word" in objectives:
        nulls = pd.concat([nulls, _other_words(groups, draws, seed)], ignore_index=True)
    found = []
    for (selection, size), chosen in groups.groupby(["selection", "size"]):
        for null, of_null in nulls.groupby("null"):
            same = of_null[(of_null["selection"] == selection) & (of_null["size"] == size)]
            name = f"group.recovery.{selection}.{size}"
            row = Comparison(name, null, chosen, "recovered", same, "recovered", by="word")
            found.append(compared(row, permutations, **how))
    for selection, chosen in groups.groupby("selection"):
        for null, of_null in nulls.groupby("null"):
            same = of_null[of_null["selection"] == selection]
            found += _thresholds(selection, null, chosen, same, levels, how)
    write_comparisons(found, csv, md, tex, html)


def _other_words(groups, draws, seed) -> pd.DataFrame:
    """The same optima, asked for another target's word: each word's stands for one other."""
    words = np.array(sorted(groups["word"].unique()))
    if len(words) < 2:
        return pd.DataFrame()
    tables = []
    for draw in range(draws):
        order = derangement(len(words), generator(seed, "other_word", draw))
        other = dict(zip(words, words[order], strict=True))
        asked = groups["word"].map(other)
        tables.append(groups.assign(draw=draw, recovered=groups["nearest_word"] == asked))
    return pd.concat(tables).assign(null="other_word")


def _thresholds(selection, null, groups, nulls, levels, how) -> list[dict]:
    """Group sizes at a rate, the model's less the null's, over the words that both have."""
    curves = [
        table.astype({"recovered": float}).pivot_table(
            index="word", columns="size", values="recovered"
        )
        for table in (groups, nulls)
    ]
    words = curves[0].index.intersection(curves[1].index)
    if not len(words):
        return []
    model, null_model = (curve.loc[words] for curve in curves)
    null_model = null_model.reindex(columns=model.columns)
    rows = []
    for level in levels:
        found = threshold_excess(
            model.columns.to_numpy(), model.to_numpy(), null_model.to_numpy(), level, **how
        )
        row = {"claim": f"group.threshold.{selection}.{round(100 * level)}", "null_model": null}
        row |= {"statistic": "threshold", "n": len(words), "null_n": len(nulls)}
        rows.append(row | {"draws": nulls["draw"].nunique()} | found)
    return rows


if "snakemake" in globals():
    run(
        main,
        snakemake,
        groups=snakemake.input.groups,
        null_groups=snakemake.input.null_groups,
        **dict(snakemake.params.items()),
        **dict(snakemake.output.items()),
    )
