"""Summarise how every neuron of a site responds to the candidate words."""

import numpy as np
import pandas as pd

from study.job import run
from textualization.analysis.activation_summaries import neuron_summary
from textualization.files import write_table

#: Words listed per neuron: those that activate it most.
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
    run(main, snakemake)
