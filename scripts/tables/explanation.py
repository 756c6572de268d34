"""Explanation: how well optima and other directions predict which words activate a neuron or group.

Scores are correlations over the half of the words that no direction was fitted on, as means with
intervals: over neurons of a layer, over layers, or over words. The share is that of ridge regression,
the best linear explanation. Null models have the directions that are not fitted, over a sample of words.
"""

import numpy as np
import pandas as pd

from study.job import run
from study.results import read_nulls
from textualization.analysis.estimates import Intervals, clustered
from textualization.analysis.explanation import DIRECTIONS
from textualization.report.tables import TableFiles, write_for_people

COLUMNS = ["of", "model", "site", "layer", "selection", "size", "direction", "n", "explanation"]
COLUMNS += ["ci_low", "ci_high", "share_of_ridge"]
#: Columns of null models' optima, by direction.
OF_NULLS = {
    "explanation": "optimum",
    "start_explanation": "start",
    "gradient_explanation": "gradient",
}


def main(
    intervals: Intervals, files: TableFiles, singles=None, groups=None, null_singles=(), null_groups=()
) -> None:  # fmt: skip
    """Write the table. singles, groups: files of scores; None if the study has no such objectives.
    null_singles, null_groups: files of null models' optima.
    """
    rows = []
    if singles:
        for model, found in _models(singles, null_singles, ["site", "layer", "index"]):
            for site, of_site in found.groupby("site"):
                layers = [(str(layer), chosen) for layer, chosen in of_site.groupby("layer")]
                for layer, chosen in [*layers, ("all", of_site)]:
                    # The bootstrap resamples neurons within a layer, and layers over all layers.
                    clusters = chosen["layer"] if layer == "all" else chosen["index"]
                    of = {"of": "singles", "model": model, "site": site, "layer": layer}
                    rows += _directions(of, chosen, clusters, intervals)
    if groups:
        for model, found in _models(groups, null_groups, ["word", "selection", "size"]):
            for (selection, size), chosen in found.groupby(["selection", "size"]):
                of = {"of": "groups", "model": model, "selection": selection, "size": size}
                rows += _directions(of, chosen, chosen["word"], intervals)
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"size": "Int64"})
    write_for_people(table, files)


def _models(scores, nulls, keys) -> list[tuple[str, pd.DataFrame]]:
    """Return the model's scores and the null models', whose neurons or words count once each."""
    nulls = read_nulls(nulls)
    of_nulls = [
        (
            null,
            found.rename(columns=OF_NULLS)
            .groupby(keys, as_index=False)[list(OF_NULLS.values())]
            .mean(),
        )
        for null, found in nulls.groupby("null")
    ]
    return [("model", pd.read_parquet(scores)), *of_nulls]


def _directions(of, chosen, clusters, intervals) -> list[dict]:
    """Return a row per direction that is there."""
    rows = []
    for direction in (*DIRECTIONS, "mean_optimum"):
        values = chosen.get(direction, pd.Series(dtype=float))
        if values.notna().any():
            estimate = clustered(values, clusters, np.mean, intervals)
            row = dict(zip(("explanation", "ci_low", "ci_high"), estimate, strict=True))
            row["n"] = int(values.notna().sum())
            if "ridge" in chosen:
                row["share_of_ridge"] = values.mean() / chosen["ridge"][values.notna()].mean()
            rows.append(of | {"direction": direction} | row)
    return rows


if "snakemake" in globals():
    run(main, snakemake)
