"""Relative selections against absolute selection: recovery and shared neurons.

Left: recovery under a relative selection minus recovery under absolute selection, on the same
words. Right: share of a group's neurons that absolute selection also chooses (dotted: by chance).
"""

from study.job import run
from textualization.report.alt_text import alt_text, course, interval
from textualization.report.csv_tables import read_csv
from textualization.report.plotting import (
    NULL,
    SELECTIONS,
    TWO_COLUMNS,
    FigureFiles,
    figure,
    label,
    legend_above,
    size_axis,
    with_interval,
)


def main(selections, scope, files: FigureFiles) -> None:
    table = read_csv(selections)
    table = table[table["scope"] == scope]
    table[["recovery_difference", "ci_low", "ci_high"]] *= 100
    alt = _alt_text(table)
    with figure(files, TWO_COLUMNS, 2.4, columns=2, alt=alt) as (left, right):
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
        left.set(ylabel="recovery minus absolute\nselection's (% points)")
        right.set(ylabel="neurons shared with absolute (%)", ylim=(0, 104))
        legend_above(right, 3)
        legend_above(left, 3)


def _alt_text(table) -> str:
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
    left = alt_text("Recovery minus absolute selection's, in percentage points", differences)
    return (
        f"{left} {alt_text('Neurons shared with absolute selection, against group size', shared)}"
    )


if "snakemake" in globals():
    run(main, snakemake)
