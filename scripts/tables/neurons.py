"""Example neurons: the first four studied in every layer.

For each neuron the table gives the activation of its optimum, the exact ceiling, the word nearest
to the optimum, and the words that activate the neuron most.
"""

import pandas as pd

from study.job import run
from textualization.report.tables import TableFiles, write_for_people

PER_LAYER = 4
COLUMNS = ["site", "layer", "index", "activation", "ceiling", "nearest_word", "nearest_cosine"]
COLUMNS += ["best_word", "best_word_activation", "utilisation_best_word", "top_words"]


def main(singles, files: TableFiles) -> None:
    neurons = pd.read_parquet(singles).sort_values(["site", "layer", "index", "restart"])
    examples = neurons[neurons["restart"] == 0].groupby(["site", "layer"]).head(PER_LAYER)
    write_for_people(examples[COLUMNS], files)


if "snakemake" in globals():
    run(main, snakemake)
