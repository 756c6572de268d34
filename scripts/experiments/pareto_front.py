"""Conditions by cosine to the nearest word and by activation, with their Pareto front.

No other condition beats those on the front in both. `every_word` is the exhaustive search over the
vocabulary.
"""

import pandas as pd

from study.job import run
from textualization.report.csv_tables import read_csv
from textualization.report.tables import TableFiles, write_for_people

AXES = ["nearest_cosine", "activation_share"]
ROUNDING = 1e-6


def main(numbers, files: TableFiles) -> None:
    numbers = read_csv(numbers)
    own = numbers[numbers["null_model"].isna() & numbers["statistic"].isin(AXES)]
    table = own.pivot_table(
        index=["of", "size", "block", "condition"], columns="statistic", values="value", sort=False
    )
    table = table.dropna().reset_index()[["of", "size", "block", "condition", *AXES]]
    for _, same in table.groupby(["of", "size"]):
        kept = [not beaten(row, same) for row in same.itertuples()]
        table.loc[same.index, "on_front"] = kept
    table = table.astype({"on_front": bool}).sort_values(["of", "size", *AXES[:1]])
    write_for_people(table, files)


def beaten(row, others: pd.DataFrame) -> bool:
    """Tell whether another condition is no worse in both and better in one, beyond rounding."""
    gains = [others[axis] - getattr(row, axis) for axis in AXES]
    no_worse = (gains[0] > -ROUNDING) & (gains[1] > -ROUNDING)
    return bool((no_worse & ((gains[0] > ROUNDING) | (gains[1] > ROUNDING))).any())


if "snakemake" in globals():
    run(main, snakemake)
