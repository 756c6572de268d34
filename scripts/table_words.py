"""Every target word and selection: the nearest words of its groups, size by size."""

import pandas as pd

from running import run
from textualization.presenting import write_for_people

SHOWN = 3


def main(groups, csv, md, tex, html) -> None:
    groups = pd.read_parquet(groups)
    groups = groups[(groups["restart"] == 0) & (groups["scope"] == "model")]
    nearest = groups["nearest_words"].str.split().str[:SHOWN].str.join(" ")
    table = groups.assign(nearest=nearest).pivot(
        index=["word", "selection"], columns="size", values="nearest"
    )
    table.columns = [f"{size} neurons" for size in table.columns]
    write_for_people(table.reset_index(), csv, md, tex, html)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        groups=snakemake.input.groups,
        **dict(snakemake.output.items()),
    )
