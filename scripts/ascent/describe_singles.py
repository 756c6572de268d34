"""Compare every single neuron's optimum with the words: the table `singles.parquet`."""

import pandas as pd

from study.job import run
from study.results import read_embeddings, read_matrices, read_optima
from study.stored_activations import explaining, neuron_activations, neuron_explanations
from textualization.analysis.describe import describe_singles, in_order
from textualization.files import write_array, write_table

FIRST = "site layer index restart activation ceiling converged collapsed finite dead taken "
FIRST += "nearest_word nearest_cosine start_nearest_cosine best_word"


def main(
    optima, activations, summaries, words, weights, sites, convergence, collapse, table, embeddings,
    curves,
) -> None:  # fmt: skip
    facts, start, found, ascents = read_optima(optima, convergence, collapse)
    e, words = read_embeddings(weights), pd.read_parquet(words)
    matrices = read_matrices(sites, activations)
    explained = explaining(start, found, e, words)
    described = describe_singles(
        facts.join(neuron_explanations(facts, matrices, words, explained)),
        start,
        found,
        e,
        words,
        pd.concat([pd.read_parquet(path) for path in summaries]),
        neuron_activations(matrices),
    )
    write_table(in_order(described, FIRST), table)
    write_array(found, embeddings)
    write_table(ascents, curves)


if "snakemake" in globals():
    run(main, snakemake)
