"""The three words nearest to each group's optimum, by target word, selection and group size.

Groups are over all layers; optima are those of the first start.
"""

import pandas as pd

from study.job import run
from textualization.report.tables import TableFiles, write_for_people

SHOWN = 3


def main(groups, files: TableFiles) -> None:
    groups = pd.read_parquet(groups)
    groups = groups[(groups["restart"] == 0) & (groups["scope"] == "model")]
    nearest = groups["nearest_words"].str.split().str[:SHOWN].str.join(" ")
    table = groups.assign(nearest=nearest).pivot(
        index=["word", "selection"], columns="size", values="nearest"
    )
    table.columns = [f"{size} neurons" for size in table.columns]
    write_for_people(table.reset_index(), files)


if "snakemake" in globals():
    run(main, snakemake)
