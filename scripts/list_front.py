"""Which conditions no other one beats in both: closeness to words, and activation."""

import pandas as pd

from running import run
from textualization.presenting import write_for_people

AXES = ["nearest_cosine", "activation_share"]
ROUNDING = 1e-6


def main(numbers, csv, md, tex, html) -> None:
    numbers = pd.read_csv(numbers)
    own = numbers[numbers["null_model"].isna() & numbers["statistic"].isin(AXES)]
    table = own.pivot_table(
        index=["of", "size", "block", "condition"], columns="statistic", values="value", sort=False
    )
    table = table.dropna().reset_index()[["of", "size", "block", "condition", *AXES]]
    for _, same in table.groupby(["of", "size"]):
        kept = [not beaten(row, same) for row in same.itertuples()]
        table.loc[same.index, "on_front"] = kept
    table = table.astype({"on_front": bool}).sort_values(["of", "size", *AXES[:1]])
    write_for_people(table, csv, md, tex, html)


def beaten(row, others: pd.DataFrame) -> bool:
    """Whether another condition is no worse in both, and better in one, beyond rounding."""
    gains = [others[axis] - getattr(row, axis) for axis in AXES]
    no_worse = (gains[0] > -ROUNDING) & (gains[1] > -ROUNDING)
    return bool((no_worse & ((gains[0] > ROUNDING) | (gains[1] > ROUNDING))).any())


if "snakemake" in globals():
    run(
        main,
        snakemake,
        numbers=snakemake.input.numbers,
        **dict(snakemake.output.items()),
    )
