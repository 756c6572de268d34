"""Single neurons by layer, and over all layers."""

import numpy as np
import pandas as pd

from running import run
from textualization.estimates import centre
from textualization.presenting import write_for_people

KINDS = ("best_word", "mean_word", "nearest_word")


def main(singles, confidence, resamples, seed, csv, md, tex) -> None:
    # Restarts of one neuron are not independent: they count as one, their mean.
    neurons = pd.read_parquet(singles)
    neurons["share_of_ceiling"] = neurons["activation"] / neurons["ceiling"]
    neurons["nearest_is_best"] = neurons["nearest_word"] == neurons["best_word"]
    keys = ["site", "layer", "index"]
    neurons = neurons.groupby(keys, as_index=False).mean(numeric_only=True)
    rows = []
    for site, of_site in neurons.groupby("site"):
        layers = [(str(layer), group) for layer, group in of_site.groupby("layer")]
        for layer, group in [*layers, ("all", of_site)]:
            row = {"site": site, "layer": layer, "neurons": len(group)}
            mean = centre(group["nearest_cosine"], np.mean, confidence, resamples, seed)
            row |= dict(zip(("nearest_cosine", "ci_low", "ci_high"), mean, strict=True))
            row["start_nearest_cosine"] = group["start_nearest_cosine"].mean()
            row["nearest_is_best"] = group["nearest_is_best"].mean()
            for kind in KINDS:
                share = group[f"utilisation_{kind}"]
                quartiles = share.quantile([0.25, 0.5, 0.75])
                for name, value in zip(("q25", "median", "q75"), quartiles, strict=True):
                    row[f"{kind}_{name}"] = value
            row["flagged"] = int(group["utilisation_best_word"].isna().sum())
            row["share_of_ceiling"] = group["share_of_ceiling"].median()
            row["converged"] = group["converged"].mean()
            row["collapsed"] = group["collapsed"].mean()
            rows.append(row)
    write_for_people(pd.DataFrame(rows), csv, md, tex)


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        singles=snakemake.input.singles,
        **dict(snakemake.params.items()),
        **dict(snakemake.output.items()),
    )
