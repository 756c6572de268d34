"""Directions by set, over layers, in the model and its null models.

The table gives the mean cosine of the optimum to the nearest word, the explanation, the median
utilisation by words and the optimum's median share of the exact ceiling, each with its interval;
and how far ascents from different starts agree: their mean cosine, and how often their nearest word is
the same. `recovered` is the share of directions of a word's own activations whose nearest word it is.
"""

import numpy as np
import pandas as pd

from study.described_directions import restarts_agree
from study.job import run
from study.results import read_nulls
from textualization.analysis.estimates import Intervals, clustered
from textualization.analysis.similarity import utilisation
from textualization.report.tables import TableFiles, write_for_people

KEYS = ["set", "site", "layer", "name"]
#: Columns of the table: the measure of optima, and its statistic over directions.
MEASURES = {
    "nearest_cosine": np.mean,
    "explanation": np.mean,
    "utilisation_best_word": np.median,
    "utilisation_mean_word": np.median,
    "utilisation_nearest_word": np.median,
    "share_of_ceiling": np.median,
    "recovered": np.mean,
}
#: Likewise, over the directions that have several restarts.
AGREEMENT = {"restart_cosine": np.mean, "same_nearest_word": np.mean}


def main(directions, embeddings, nulls, intervals: Intervals, files: TableFiles) -> None:
    model = pd.read_parquet(directions)
    agreement = restarts_agree(model, np.load(embeddings)).set_index(KEYS)
    tables = {"model": model} | dict(list(read_nulls(nulls).groupby("null")))
    means = {of: _by_direction(table) for of, table in tables.items()}
    means["model"] = means["model"].join(agreement, on=KEYS)
    rows = []
    for (name, site), of_set in model.groupby(["set", "site"]):
        layers = sorted(of_set["layer"].unique())
        for layer in [*layers, *(["all"] if len(layers) > 1 else [])]:
            for of, table in means.items():
                chosen = table[
                    (table["set"] == name) & ((layer == "all") | (table["layer"] == layer))
                ]
                row = {"set": name, "site": site, "layer": str(layer), "of": of}
                rows.append(row | _row(layer, chosen, intervals))
    write_for_people(pd.DataFrame(rows).astype({"repeated": "Int64"}), files)


def _by_direction(table: pd.DataFrame) -> pd.DataFrame:
    """Average each direction's restarts, or its replicates in a null: it counts once."""
    table = table.assign(
        share_of_ceiling=utilisation(table["activation"], table["ceiling"]),
        recovered=(table["nearest_word"] == table["word"]).where(table["word"] != ""),
    ).astype({"recovered": float})
    return table.groupby(KEYS, as_index=False)[[*MEASURES]].mean()


def _row(layer: str, chosen: pd.DataFrame, intervals: Intervals) -> dict:
    """Return the measures of some directions, with intervals."""
    row = {"directions": len(chosen)}
    # The bootstrap resamples directions within a layer, and layers over all layers.
    clusters = chosen["layer"] if layer == "all" else chosen["name"]
    for column, statistic in MEASURES.items():
        row |= _estimate(column, chosen[column], clusters, statistic, intervals)
    if AGREEMENT.keys() <= set(chosen):
        row["repeated"] = int(chosen["restart_cosine"].notna().sum())
        for column, statistic in AGREEMENT.items():
            row |= _estimate(column, chosen[column], clusters, statistic, intervals)
    return row


def _estimate(column, values, clusters, statistic, intervals) -> dict[str, float]:
    found = clustered(values, clusters, statistic, intervals)
    return dict(zip((column, f"{column}_low", f"{column}_high"), found, strict=True))


if "snakemake" in globals():
    run(main, snakemake)
