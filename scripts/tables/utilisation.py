"""Utilisation and shares of the exact ceiling by layer, for the model and its null models.

The words' mean activation is given as a share of the optimum's activation and of the exact ceiling,
and the optimum's activation as a share of the ceiling. Values are medians with bootstrap intervals
over neurons. Geometry is the share of the ceiling that LayerNorm's geometry alone predicts. Of a corpus,
the best sentence, and the best of those drawn for null models, are shares of the optimum.
"""

import numpy as np
import pandas as pd

from study.job import run
from study.results import coordinates, read_nulls
from study.texts.sentence_activations import with_null_sentences, with_sentences
from textualization.analysis.estimates import Intervals, centre
from textualization.analysis.similarity import utilisation
from textualization.models.layernorm import expected_magnitude
from textualization.report.tables import TableFiles, write_for_people

#: Columns of the table: one activation as a share of another.
SHARES = {
    "mean_word_of_optimum": ("mean_word_activation", "activation"),
    "mean_word_of_ceiling": ("mean_word_activation", "ceiling"),
    "optimum_of_ceiling": ("activation", "ceiling"),
}
#: Likewise, in a study with a corpus.
OF_SENTENCES = {
    "best_sentence_of_optimum": ("sentence_activation", "activation"),
    "drawn_sentence_of_optimum": ("drawn_activation", "activation"),
}


def main(
    singles, nulls, weights, intervals: Intervals, files: TableFiles, summary=None,
    null_sentences=(),
) -> None:  # fmt: skip
    model, nulls = pd.read_parquet(singles), read_nulls(nulls)
    chosen_shares = dict(SHARES)
    if summary:
        chosen_shares |= OF_SENTENCES
        model = with_sentences(model, summary)
        # Null models read the drawn sentences alone.
        nulls = with_null_sentences(nulls, null_sentences).assign(sentence_activation=np.nan)
    geometry = coordinates(model, weights, expected_magnitude)
    model["geometry"] = utilisation(geometry, model["ceiling"])
    tables = {"model": model} | dict(list(nulls.groupby("null")))
    rows = []
    for of, table in tables.items():
        for (site, layer), chosen in table.groupby(["site", "layer"]):
            row = {"site": site, "layer": layer, "of": of}
            shares = {
                name: utilisation(chosen[a], chosen[b]) for name, (a, b) in chosen_shares.items()
            }
            # Restarts of a neuron, and its replicates in a null, count once, with their mean.
            neurons = chosen[["index"]].assign(**shares).groupby("index").mean()
            row["neurons"] = len(neurons)
            for name in chosen_shares:
                estimate = centre(neurons[name], np.median, intervals)
                row |= dict(zip((name, f"{name}_low", f"{name}_high"), estimate, strict=True))
            if of == "model":
                row["geometry_of_ceiling"] = chosen.drop_duplicates("index")["geometry"].median()
            rows.append(row)
    write_for_people(pd.DataFrame(rows), files)


if "snakemake" in globals():
    run(main, snakemake)
