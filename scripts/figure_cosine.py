"""How near a group's optimum comes to its own word, and to whichever word is nearest."""

import pandas as pd

from running import run
from textualization.describing import course, told
from textualization.plotting import (
    ONE_COLUMN,
    SELECTIONS,
    figure,
    label,
    legend_above,
    size_axis,
    with_interval,
)


def main(recovery, scope, pdf, png, txt) -> None:
    recovery = pd.read_csv(recovery)
    recovery = recovery[recovery["scope"] == scope]
    alt = told("Cosine of groups' optima to words, against group size (neurons)", _facts(recovery))
    with figure(pdf, png, txt, ONE_COLUMN, 2.4, alt=alt) as axis:
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
    run(
        main,
        snakemake,
        recovery=snakemake.input.recovery,
        scope=snakemake.params.scope,
        **dict(snakemake.output.items()),
    )
