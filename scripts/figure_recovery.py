"""How often a group's optimum is closest to its word: the model, and its nulls."""

import numpy as np
import pandas as pd

from optima import nulls_of_groups
from running import run
from textualization.describing import course, told
from textualization.plotting import (
    MODEL,
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


def main(recovery, nulls, paper, scope, pdf, png, txt) -> None:
    recovery = pd.read_csv(recovery)
    recovery = recovery[recovery["scope"] == scope]
    recovery[["recovery", "ci_low", "ci_high"]] *= 100
    nulls = nulls_of_groups(nulls, "recovery")
    nulls[["value", "low", "high"]] *= 100
    selections = list(recovery["selection"].unique())
    alt = " ".join(_told(recovery, nulls, selection) for selection in selections)
    low, high = paper["group"]["sizes"]
    rate = f"{100 * paper['group']['recovery']:g} %"
    alt += f" The paper reports {rate} for BERT-base at {low} to {high} neurons."
    with figure(pdf, png, txt, TWO_COLUMNS, 2.5, columns=len(selections), alt=alt) as axes:
        axes = np.atleast_1d(axes)
        for axis, selection in zip(axes, selections, strict=True):
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


def _told(recovery, nulls, selection) -> str:
    own, beside = (table[table["selection"] == selection] for table in (recovery, nulls))
    facts = [course("model", own["size"], own["recovery"], " %")]
    for null in (null for null in NULLS if null in set(beside["null_model"])):
        rows = beside[beside["null_model"] == null]
        facts.append(course(label(null), rows["size"], rows["value"], " %"))
    return told(f"Recovery against group size (neurons), {label(selection)} selection", facts)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        recovery=snakemake.input.recovery,
        nulls=snakemake.input.nulls,
        paper=snakemake.params.paper,
        scope=snakemake.params.scope,
        **dict(snakemake.output.items()),
    )
