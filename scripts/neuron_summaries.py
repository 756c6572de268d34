"""How every neuron of a site responds over the candidate words."""

import numpy as np
import pandas as pd

from running import run
from textualization.files import write_table
from textualization.words import neuron_summary


def main(activations, vocabulary, site, top, summaries) -> None:
    candidates = pd.read_parquet(vocabulary)["candidate"].to_numpy()
    matrices = np.load(activations, mmap_mode="r")
    tables = [
        neuron_summary(matrix, candidates, top).assign(site=site, layer=layer)
        for layer, matrix in enumerate(matrices, start=1)
    ]
    table = pd.concat(tables, ignore_index=True)
    first = ["site", "layer", "index"]
    write_table(table[first + [c for c in table if c not in first]], summaries)


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        activations=snakemake.input.activations,
        vocabulary=snakemake.input.vocabulary,
        site=snakemake.wildcards.site,
        top=snakemake.params.top,
        summaries=snakemake.output[0],
    )
