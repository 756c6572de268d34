"""Compare every group's optimum with its target word: the table `groups.parquet`."""

import pandas as pd

from study.job import run
from study.rankings import read_rankings
from study.results import read_embeddings, read_matrices, read_optima
from study.stored_activations import explaining, group_word_activations
from textualization.analysis.describe import describe_groups, in_order
from textualization.files import write_array, write_table

FIRST = "word selection scope scope_layer size restart activation word_activation nearest_word "
FIRST += "nearest_cosine target_cosine target_rank margin recovered"


def main(
    optima, rankings, activations, words, weights, sites, convergence, collapse, shown, table,
    embeddings, curves,
) -> None:  # fmt: skip
    words, matrices = pd.read_parquet(words), read_matrices(sites, activations)
    facts, start, found, ascents = read_optima(optima, convergence, collapse)
    e = read_embeddings(weights)
    explained = explaining(start, found, e, words)

    def activations_of(facts, target, nearest):
        ranked = read_rankings(rankings)
        return group_word_activations(facts, target, nearest, ranked, matrices, words, explained)

    described = describe_groups(facts, start, found, e, words, activations_of, shown)
    write_table(in_order(described, FIRST), table)
    write_array(found, embeddings)
    write_table(ascents, curves)


if "snakemake" in globals():
    run(main, snakemake)
