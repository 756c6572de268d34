"""Cosine of a group's optimum to words, against group size.

Thick lines show the cosine to the target word, with intervals; thin lines show the cosine to the
nearest word.
"""

from study.job import run
from textualization.report.alt_text import alt_text, course
from textualization.report.csv_tables import read_csv
from textualization.report.plotting import (
    ONE_COLUMN,
    SELECTIONS,
    FigureFiles,
    figure,
    label,
    legend_above,
    size_axis,
    with_interval,
)


def main(recovery, scope, files: FigureFiles) -> None:
    recovery = read_csv(recovery)
    recovery = recovery[recovery["scope"] == scope]
    alt = alt_text(
        "Cosine of groups' optima to words, against group size (neurons)", _facts(recovery)
    )
    with figure(files, ONE_COLUMN, 2.4, alt=alt) as axis:
        for selection, style in SELECTIONS.items():
            chosen = recovery[recovery["selection"] == selection].sort_values("size")
            if not len(chosen):
                continue
            with_interval(
                axis,
                chosen,
                "size",
                "target_cosine",
                "target_cosine_low",
                "target_cosine_high",
                label=label(selection),
                **style,
            )
            axis.plot(
                chosen["size"], chosen["nearest_cosine"], color=style["color"], lw=0.5, alpha=0.7
            )
        axis.plot([], [], color="0.4", lw=0.5, label="nearest word (thin)")
        size_axis(axis, sorted(recovery["size"].unique()))
        axis.set(ylabel="cosine to the target word")
        legend_above(axis, 2)


def _facts(recovery) -> list[str]:
    facts = []
    for selection, rows in recovery.groupby("selection", sort=False):
        for whose in ("target", "nearest"):
            name = f"{label(selection)} selection, {whose} word"
            facts.append(course(name, rows["size"], rows[f"{whose}_cosine"]))
    return facts


if "snakemake" in globals():
    run(main, snakemake)
