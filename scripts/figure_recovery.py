"""How often a group's optimum is closest to its word: the model, and its nulls."""

import numpy as np
import pandas as pd

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
    nulls = _of_recovery(pd.read_csv(nulls))
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


def _of_recovery(nulls: pd.DataFrame) -> pd.DataFrame:
    """Nulls of recovery, in %: selection, size, null_model, value, low, high."""
    nulls = nulls[nulls["claim"].str.startswith("group.recovery.")]
    parts = nulls["claim"].str.split(".", expand=True)
    nulls = nulls[["null_model", "null_value", "null_low", "null_high"]]
    nulls = nulls.set_axis(["null_model", "value", "low", "high"], axis=1)
    nulls[["value", "low", "high"]] *= 100
    return nulls.assign(selection=parts[2], size=parts[3].astype(int))


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
