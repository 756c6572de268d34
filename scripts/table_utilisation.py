"""Utilisation, and shares of the exact ceiling, by layer: the model beside null models and geometry."""

import numpy as np
import pandas as pd

from optima import coordinates, read_nulls
from running import run
from textualization.estimates import centre
from textualization.geometry import expected_magnitude
from textualization.presenting import write_for_people
from textualization.similarity import utilisation

#: What stands in the table: an activation as a share of another.
SHARES = {
    "mean_word_of_optimum": ("mean_word_activation", "activation"),
    "mean_word_of_ceiling": ("mean_word_activation", "ceiling"),
    "optimum_of_ceiling": ("activation", "ceiling"),
}


def main(singles, nulls, weights, confidence, resamples, seed, csv, md, tex, html) -> None:
    model, nulls = pd.read_parquet(singles), read_nulls(nulls)
    geometry = coordinates(model, weights, expected_magnitude)
    model["geometry"] = utilisation(geometry, model["ceiling"])
    tables = {"model": model} | dict(list(nulls.groupby("null")))
    rows = []
    for of, table in tables.items():
        for (site, layer), chosen in table.groupby(["site", "layer"]):
            row = {"site": site, "layer": layer, "of": of}
            shares = {name: utilisation(chosen[a], chosen[b]) for name, (a, b) in SHARES.items()}
            # Restarts of one neuron, and a null's draws of it, count as one: their mean.
            neurons = chosen[["index"]].assign(**shares).groupby("index").mean()
            row["neurons"] = len(neurons)
            for name in SHARES:
                estimate = centre(neurons[name], np.median, confidence, resamples, seed)
                row |= dict(zip((name, f"{name}_low", f"{name}_high"), estimate, strict=True))
            if of == "model":
                row["geometry_of_ceiling"] = chosen.drop_duplicates("index")["geometry"].median()
            rows.append(row)
    write_for_people(pd.DataFrame(rows), csv, md, tex, html)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        singles=snakemake.input.singles,
        nulls=snakemake.input.nulls,
        weights=snakemake.input.weights,
        **dict(snakemake.params.items()),
        **dict(snakemake.output.items()),
    )
