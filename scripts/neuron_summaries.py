"""How every neuron of a site responds over the candidate words."""

import numpy as np
import pandas as pd

from running import run
from textualization.files import write_table
from textualization.words import neuron_summary

#: Most exciting words named per neuron.
TOP_WORDS = 10


def main(activations, candidates, site, summaries) -> None:
    counted = pd.read_parquet(candidates)["candidate"].to_numpy()
    matrices = np.load(activations, mmap_mode="r")
    tables = [
        neuron_summary(matrix, counted, TOP_WORDS).assign(site=site, layer=layer)
        for layer, matrix in enumerate(matrices, start=1)
    ]
    table = pd.concat(tables, ignore_index=True)
    first = ["site", "layer", "index"]
    write_table(table[first + [c for c in table if c not in first]], summaries)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        activations=snakemake.input.activations,
        candidates=snakemake.input.candidates,
        site=snakemake.wildcards.site,
        summaries=snakemake.output[0],
    )
