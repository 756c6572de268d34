"""Single neurons by layer, and over all layers.

The table gives the mean cosine of the optimum to the nearest word, the median and quartiles of
three kinds of utilisation, and the optimum's median share of the exact ceiling that LayerNorm sets.
"""

import numpy as np
import pandas as pd

from study.job import run
from study.results import coordinates
from textualization.analysis.estimates import Intervals, clustered
from textualization.models.layernorm import expected_magnitude
from textualization.report.tables import TableFiles, write_for_people

KINDS = ("best_word", "mean_word", "nearest_word")


def main(singles, weights, intervals: Intervals, files: TableFiles) -> None:
    # Restarts of a neuron are not independent: a neuron counts once, with its mean.
    neurons = pd.read_parquet(singles)
    neurons["share_of_ceiling"] = neurons["activation"] / neurons["ceiling"]
    neurons["geometry_of_ceiling"] = coordinates(neurons, weights, expected_magnitude)
    neurons["geometry_of_ceiling"] /= neurons["ceiling"]
    neurons["nearest_is_best"] = neurons["nearest_word"] == neurons["best_word"]
    neurons["flagged"] = neurons["utilisation_best_word"].isna()
    keys = ["site", "layer", "index"]
    neurons = neurons.groupby(keys, as_index=False).mean(numeric_only=True)
    rows = []
    for site, of_site in neurons.groupby("site"):
        layers = [(str(layer), group) for layer, group in of_site.groupby("layer")]
        for layer, group in [*layers, ("all", of_site)]:
            row = {"site": site, "layer": layer, "neurons": len(group)}
            # The bootstrap resamples neurons within a layer, and layers over all layers.
            clusters = group["layer"] if layer == "all" else group["index"]
            mean = clustered(group["nearest_cosine"], clusters, np.mean, intervals)
            row |= dict(zip(("nearest_cosine", "ci_low", "ci_high"), mean, strict=True))
            row["start_nearest_cosine"] = group["start_nearest_cosine"].mean()
            row["nearest_is_best"] = group["nearest_is_best"].mean()
            for kind in KINDS:
                share = group[f"utilisation_{kind}"]
                median = clustered(share, clusters, np.median, intervals)
                names = (f"{kind}_median", f"{kind}_low", f"{kind}_high")
                row |= dict(zip(names, median, strict=True))
                row[f"{kind}_q25"], row[f"{kind}_q75"] = share.quantile([0.25, 0.75])
                row[f"{kind}_of_ceiling"] = (
                    group[f"{kind}_activation"] / group["ceiling"]
                ).median()
            row["flagged"] = int((group["flagged"] > 0).sum())
            row["geometry_of_ceiling"] = group["geometry_of_ceiling"].median()
            row["share_of_ceiling"] = group["share_of_ceiling"].median()
            row["converged"] = group["converged"].mean()
            row["collapsed"] = group["collapsed"].mean()
            row["broken"] = 1 - group["finite"].mean()
            rows.append(row)
    write_for_people(pd.DataFrame(rows), files)


if "snakemake" in globals():
    run(main, snakemake)
