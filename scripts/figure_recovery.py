"""How often a group's optimum is closest to its word: the model, and its nulls."""

import numpy as np
import pandas as pd

from optima import nulls_of_groups
from running import run
from textualization.plotting import (
    NULLS,
    PAPER,
    PAPER_BAND,
    TWO_COLUMNS,
    figure,
    label,
    shared_legend,
    size_axis,
    with_bars,
    with_interval,
)

MODEL = {"color": "black", "marker": "o", "linestyle": "-"}


def main(recovery, nulls, paper, scope, pdf, png) -> None:
    recovery = pd.read_csv(recovery)
    recovery = recovery[recovery["scope"] == scope]
    recovery[["recovery", "ci_low", "ci_high"]] *= 100
    nulls = nulls_of_groups(nulls, "recovery")
    nulls[["value", "low", "high"]] *= 100
    selections = list(recovery["selection"].unique())
    with figure(pdf, png, TWO_COLUMNS, 2.5, columns=len(selections)) as axes:
        axes = np.atleast_1d(axes)
        for axis, selection in zip(axes, selections, strict=True):
            low, high = paper["group"]["sizes"]
            axis.axvspan(low, high, **PAPER_BAND)
            axis.axhline(100 * paper["group"]["recovery"], **PAPER, label="paper (BERT-base)")
            chosen = recovery[recovery["selection"] == selection]
            columns = ("size", "recovery", "ci_low", "ci_high")
            with_interval(axis, chosen, *columns, label="model", **MODEL)
            beside = nulls[nulls["selection"] == selection]
            for null, style in NULLS.items():
                with_bars(axis, beside[beside["null_model"] == null], label=label(null), **style)
            size_axis(axis, sorted(chosen["size"].unique()))
            axis.set(ylim=(-3, 104), title=f"{label(selection)} selection")
        axes[0].set(ylabel="recovery (% of words)")
        shared_legend(axes)


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        recovery=snakemake.input.recovery,
        nulls=snakemake.input.nulls,
        paper=snakemake.params.paper,
        scope=snakemake.params.scope,
        pdf=snakemake.output.pdf,
        png=snakemake.output.png,
    )
