"""Variance of the results by source.

The sources are layer, neuron, word, group size, and the replicate of a null model. The residual is
the variance between starts, and noise.
"""

import pandas as pd

from study.job import run
from study.results import read_nulls
from textualization.analysis.variance import components
from textualization.report.tables import TableFiles, write_for_people

OF_SINGLES = ("nearest_cosine", "utilisation_best_word", "share_of_ceiling")
OF_GROUPS = ("target_cosine", "recovered")


def main(singles, groups, null_singles, null_groups, files: TableFiles) -> None:
    singles, groups = pd.read_parquet(singles), pd.read_parquet(groups)
    rows = []
    neuron = ["site", "layer", "index"]
    # One collapsed ascent can have an extreme share, which would be all of the variance.
    for site, chosen in singles[~singles["collapsed"]].groupby("site"):
        rows += _rows(f"{site} neurons", chosen, OF_SINGLES, {"layer": ["layer"], "neuron": neuron})
    groups = groups[groups["scope"] == "model"]
    words = {"size": ["size"], "word": ["word"], "word and size": ["word", "size"]}
    for selection, chosen in groups.groupby("selection"):
        rows += _rows(f"groups ({selection})", chosen, OF_GROUPS, words)
    for null, of_null in read_nulls(null_singles).groupby("null"):
        rows += _rows(
            f"{null}: neurons", of_null, OF_SINGLES, {"layer": ["layer"], "draw": ["draw"]}
        )
    factors = {"size": ["size"], "word": ["word"], "draw": ["draw"]}
    for null, of_null in read_nulls(null_groups).groupby("null"):
        for selection, chosen in of_null.groupby("selection"):
            rows += _rows(f"{null}: groups ({selection})", chosen, OF_GROUPS, factors)
    columns = ["of", "value", "n", "factor", "levels", "share", "variance"]
    table = pd.DataFrame(rows, columns=columns).astype({"levels": "Int64"})
    write_for_people(table, files)


def _rows(of, table, columns, factors) -> list[tuple]:
    """Return shares of variance; `residual` is what no factor explains: the start, and noise."""
    table = table.assign(share_of_ceiling=table["activation"] / table["ceiling"])
    labels = {name: table.groupby(by).ngroup().to_numpy() for name, by in factors.items()}
    rows = []
    for column in columns:
        found = components(table[column].to_numpy(dtype=float), labels)
        total = found.pop("total")
        for factor, share in found.items():
            levels = len(set(labels[factor])) if factor in labels else None
            rows.append((of, column, len(table), factor, levels, share, share * total))
    return rows


if "snakemake" in globals():
    run(main, snakemake)
