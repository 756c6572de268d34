"""Compare every direction's optimum with the words: the table `directions.parquet`."""

import numpy as np
import pandas as pd

from study.described_directions import describe_directions
from study.job import run
from study.results import read_embeddings, read_matrices, read_optima, read_tables
from textualization.analysis.describe import in_order
from textualization.files import write_array, write_table

FIRST = "set site layer name restart activation ceiling converged collapsed finite dead taken "
FIRST += "nearest_word nearest_cosine start_nearest_cosine best_word"


def main(
    optima, vectors: list, activations: list, words, weights, sites, convergence, collapse, table,
    embeddings, curves,
) -> None:  # fmt: skip
    words, matrices = pd.read_parquet(words), read_matrices(sites, activations)
    facts, start, found, ascents = read_optima(optima, convergence, collapse)
    made = read_tables(vectors).set_index("name")["vector"]
    described = describe_directions(
        facts,
        start,
        found,
        read_embeddings(weights),
        words,
        made[facts["name"]].to_numpy(),
        np.flatnonzero(words["candidate"]),
        lambda site, layer, ids: matrices[site][layer - 1][ids],
    )
    write_table(in_order(described, FIRST), table)
    write_array(found, embeddings)
    write_table(ascents, curves)


if "snakemake" in globals():
    run(main, snakemake)
