"""Relative against absolute selection: difference in recovery on the same words, shared neurons."""

import pandas as pd

from running import run
from textualization.plotting import (
    NULL,
    SELECTIONS,
    TWO_COLUMNS,
    figure,
    label,
    legend_above,
    size_axis,
    with_interval,
)


def main(selections, scope, pdf, png) -> None:
    table = pd.read_csv(selections)
    table = table[table["scope"] == scope]
    table[["recovery_difference", "ci_low", "ci_high"]] *= 100
    with figure(pdf, png, TWO_COLUMNS, 2.4, columns=2) as (left, right):
        for selection, chosen in table.groupby("selection"):
            style = SELECTIONS[selection]
            with_interval(
                left,
                chosen,
                "size",
                "recovery_difference",
                "ci_low",
                "ci_high",
                label=label(selection),
                **style,
            )
            right.plot(
                chosen["size"], 100 * chosen["shared_neurons"], label=label(selection), **style
            )
        if len(table):
            chance = table.drop_duplicates("size")
            right.plot(chance["size"], 100 * chance["shared_by_chance"], **NULL, label="by chance")
            for axis in (left, right):
                size_axis(axis, sorted(table["size"].unique()))
        left.axhline(0, color="0.8", lw=0.6, zorder=0)
        left.set(ylabel="recovery less that of\nabsolute (% points)")
        right.set(ylabel="neurons shared with absolute (%)", ylim=(0, 104))
        legend_above(right, 3)
        legend_above(left, 3)


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        selections=snakemake.input.selections,
        scope=snakemake.params.scope,
        pdf=snakemake.output.pdf,
        png=snakemake.output.png,
    )
