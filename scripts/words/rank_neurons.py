"""Rank all neurons of a scope for every target word, the strongest first."""

import pandas as pd

from study.job import run
from study.rankings import rank_words
from study.results import read_matrices
from textualization.files import write_table


def main(activations, summaries: list, targets, sites, selection, scope, ranking) -> None:
    over_words = pd.concat([pd.read_parquet(path) for path in summaries]) if summaries else None
    matrices = read_matrices(sites, activations)
    table = rank_words(matrices, over_words, pd.read_parquet(targets), selection, scope)
    write_table(table, ranking)


if "snakemake" in globals():
    run(main, snakemake)
