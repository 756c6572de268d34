"""Explanation: how well optima and other directions predict which words activate a neuron or group.

Scores are correlations over the half of the words that no direction was fitted on, as means with
intervals: over neurons of a layer, over layers, or over words. The share is that of ridge regression,
the best linear explanation.
"""

import numpy as np
import pandas as pd

from study.job import run
from textualization.analysis.estimates import Intervals, clustered
from textualization.directions import DIRECTIONS
from textualization.report.tables import TableFiles, write_for_people

COLUMNS = ["of", "site", "layer", "selection", "size", "direction", "n", "explanation", "ci_low"]
COLUMNS += ["ci_high", "share_of_ridge"]


def main(intervals: Intervals, files: TableFiles, singles=None, groups=None) -> None:
    rows = []
    if singles:
        found = pd.read_parquet(singles)
        for site, of_site in found.groupby("site"):
            layers = [(str(layer), chosen) for layer, chosen in of_site.groupby("layer")]
            for layer, chosen in [*layers, ("all", of_site)]:
                # The bootstrap resamples neurons within a layer, and layers over all layers.
                clusters = chosen["layer"] if layer == "all" else chosen["index"]
                of = {"of": "singles", "site": site, "layer": layer}
                rows += _directions(of, chosen, clusters, intervals)
    if groups:
        found = pd.read_parquet(groups)
        for (selection, size), chosen in found.groupby(["selection", "size"]):
            of = {"of": "groups", "selection": selection, "size": size}
            rows += _directions(of, chosen, chosen["target"], intervals)
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"size": "Int64"})
    write_for_people(table, files)


def _directions(of, chosen, clusters, intervals) -> list[dict]:
    """Return a row per direction that is there."""
    rows = []
    for direction in (*DIRECTIONS, "mean_optimum"):
        values = chosen[direction]
        if values.notna().any():
            estimate = clustered(values, clusters, np.mean, intervals)
            row = dict(zip(("explanation", "ci_low", "ci_high"), estimate, strict=True))
            ridge = chosen["ridge"][values.notna()].mean()
            row |= {"n": int(values.notna().sum()), "share_of_ridge": values.mean() / ridge}
            rows.append(of | {"direction": direction} | row)
    return rows


if "snakemake" in globals():
    run(main, snakemake)
