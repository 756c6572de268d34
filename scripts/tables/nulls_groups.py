"""Recovery and thresholds of groups against their nulls, over the words that both have.

Each excess has a bootstrap interval that resamples words and the null's replicates. `p` comes from
a permutation test within words and is corrected for all tests of the table (Holm). Dominance is
Cliff's delta. Thresholds have an interval only.
"""

import numpy as np
import pandas as pd

from study.job import run
from study.results import measures_of, read_nulls
from textualization.analysis.estimates import Intervals
from textualization.analysis.null_comparison import Comparison, compared, write_comparisons
from textualization.analysis.null_draws import derangement
from textualization.analysis.thresholds import threshold_excess
from textualization.draws import generator
from textualization.report.tables import TableFiles


def main(
    groups, null_groups, weights, sites, objectives, replicates, levels, permutations,
    intervals: Intervals, files: TableFiles,
) -> None:  # fmt: skip
    groups, nulls = pd.read_parquet(groups), read_nulls(null_groups)
    measures = measures_of(weights, sites)
    groups = groups[groups["scope"] == "model"]
    if "other_word" in objectives:
        nulls = pd.concat(
            [nulls, _other_words(groups, replicates, intervals.seed)], ignore_index=True
        )
    found = []
    for (selection, size), chosen in groups.groupby(["selection", "size"]):
        for null, of_null in nulls.groupby("null"):
            same = of_null[(of_null["selection"] == selection) & (of_null["size"] == size)]
            name = f"group.recovery.{selection}.{size}"
            row = Comparison(name, null, chosen, "recovered", same, "recovered", by="word")
            found.append(compared(row, permutations, intervals))
            if null == "other_word":  # the same optima, which explain the same group
                continue
            for measure in measures:
                name = f"group.{measure}.{selection}.{size}"
                row = Comparison(
                    name, null, chosen, measure, same, measure, by="word", is_rate=False
                )
                found.append(compared(row, permutations, intervals))
    for selection, chosen in groups.groupby("selection"):
        for null, of_null in nulls.groupby("null"):
            same = of_null[of_null["selection"] == selection]
            found += _thresholds(selection, null, chosen, same, levels, intervals)
    write_comparisons(found, files)


def _other_words(groups, replicates, seed) -> pd.DataFrame:
    """Compare the same optima with the word of another target, by a derangement of the words."""
    words = np.array(sorted(groups["word"].unique()))
    if len(words) < 2:
        return pd.DataFrame()
    tables = []
    for replicate in range(replicates):
        order = derangement(len(words), generator(seed, "other_word", replicate))
        other = dict(zip(words, words[order], strict=True))
        recovered = groups["nearest_word"] == groups["word"].map(other)
        tables.append(groups.assign(draw=replicate, recovered=recovered))
    return pd.concat(tables).assign(null="other_word")


def _thresholds(selection, null, groups, nulls, levels, intervals) -> list[dict]:
    """Compare thresholds of the model and the null over the words that both have."""
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
            model.columns.to_numpy(), model.to_numpy(), null_model.to_numpy(), level, intervals
        )
        row = {"claim": f"group.threshold.{selection}.{round(100 * level)}", "null_model": null}
        row |= {"statistic": "threshold", "n": len(words), "null_n": len(nulls)}
        rows.append(row | {"draws": nulls["draw"].nunique()} | found)
    return rows


if "snakemake" in globals():
    run(main, snakemake)
