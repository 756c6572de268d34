"""Example neurons: the first few of every layer, by index."""

import pandas as pd

from running import run
from textualization.presenting import write_for_people

PER_LAYER = 4
COLUMNS = ["site", "layer", "index", "activation", "ceiling", "nearest_word", "nearest_cosine"]
COLUMNS += ["best_word", "best_word_activation", "utilisation_best_word", "top_words"]


def main(singles, csv, md, tex, html) -> None:
    neurons = pd.read_parquet(singles).sort_values(["site", "layer", "index", "restart"])
    examples = neurons[neurons["restart"] == 0].groupby(["site", "layer"]).head(PER_LAYER)
    write_for_people(examples[COLUMNS], csv, md, tex, html)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        singles=snakemake.input.singles,
        **dict(snakemake.output.items()),
    )
