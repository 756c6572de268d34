"""Where the spread of a number comes from: layer or word, neuron, draw of weights, start."""

import pandas as pd

from optima import read_nulls
from running import run
from textualization.presenting import write_for_people
from textualization.variance import components

OF_SINGLES = ("nearest_cosine", "utilisation_best_word", "share_of_ceiling")
OF_GROUPS = ("target_cosine", "recovered")


def main(singles, groups, null_singles, null_groups, csv, md, tex, html) -> None:
    singles, groups = pd.read_parquet(singles), pd.read_parquet(groups)
    rows = []
    neuron = ["site", "layer", "index"]
    # A collapsed ascent's share of itself can be anything: one would be all of the variance.
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
    write_for_people(table, csv, md, tex, html)


def _rows(of, table, columns, factors) -> list[tuple]:
    """Shares of variance; what no factor explains is the start's (or noise): `residual`."""
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
    run(
        main,
        snakemake,
        singles=snakemake.input.singles,
        groups=snakemake.input.groups,
        null_singles=snakemake.input.null_singles,
        null_groups=snakemake.input.null_groups,
        **dict(snakemake.output.items()),
    )
