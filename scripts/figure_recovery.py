"""How often a group's optimum is closest to the word that its neurons were chosen for."""

import pandas as pd

from running import run
from textualization.plotting import (
    ONE_COLUMN,
    PAPER,
    PAPER_BAND,
    SELECTIONS,
    figure,
    label,
    legend_above,
    size_axis,
    with_interval,
)


def main(recovery, paper, scope, pdf, png) -> None:
    recovery = pd.read_csv(recovery)
    recovery = recovery[recovery["scope"] == scope]
    recovery[["recovery", "ci_low", "ci_high"]] *= 100
    with figure(pdf, png, ONE_COLUMN, 2.4) as axis:
        low, high = paper["group"]["sizes"]
        axis.axvspan(low, high, **PAPER_BAND)
        axis.axhline(100 * paper["group"]["recovery"], **PAPER)
        axis.text(low, 3, " paper:\n 67 % here", fontsize=6, color="0.35", va="bottom")
        for selection, style in SELECTIONS.items():
            chosen = recovery[recovery["selection"] == selection]
            if len(chosen):
                with_interval(
                    axis,
                    chosen,
                    "size",
                    "recovery",
                    "ci_low",
                    "ci_high",
                    label=label(selection),
                    **style,
                )
        size_axis(axis, sorted(recovery["size"].unique()))
        axis.set(ylabel="recovery (% of words)", ylim=(-2, 104))
        legend_above(axis, 3)


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        recovery=snakemake.input.recovery,
        paper=snakemake.params.paper,
        scope=snakemake.params.scope,
        pdf=snakemake.output.pdf,
        png=snakemake.output.png,
    )
