"""Relative against absolute selection: difference in recovery on the same words, shared neurons."""

import pandas as pd

from running import run
from textualization.describing import course, interval, told
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


def main(selections, scope, pdf, png, txt) -> None:
    table = pd.read_csv(selections)
    table = table[table["scope"] == scope]
    table[["recovery_difference", "ci_low", "ci_high"]] *= 100
    alt = _told(table)
    with figure(pdf, png, txt, TWO_COLUMNS, 2.4, columns=2, alt=alt) as (left, right):
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


def _told(table) -> str:
    differences, shared = [], []
    for selection, rows in table.groupby("selection"):
        for row in rows.sort_values("size").itertuples():
            name = f"{label(selection)} at {row.size} neurons"
            bounds = (row.recovery_difference, row.ci_low, row.ci_high)
            differences.append(interval(name, *bounds, unit=" points"))
        shared.append(course(label(selection), rows["size"], 100 * rows["shared_neurons"], " %"))
    if len(table):
        chance = table.drop_duplicates("size")
        shared.append(course("by chance", chance["size"], 100 * chance["shared_by_chance"], " %"))
    left = told("Recovery less that of absolute selection, in percentage points", differences)
    return f"{left} {told('Neurons shared with absolute selection, against group size', shared)}"


if "snakemake" in globals():
    run(
        main,
        snakemake,
        selections=snakemake.input.selections,
        scope=snakemake.params.scope,
        **dict(snakemake.output.items()),
    )
