"""Share of words recovered, against group size, for the model and its nulls.

The model's band and the bars of the nulls are Wilson intervals. Grey marks the group sizes for
which the paper reports 67 % (dashed line).
"""

import numpy as np

from study.job import run
from study.results import nulls_of_groups
from textualization.report.alt_text import alt_text, course
from textualization.report.csv_tables import read_csv
from textualization.report.plotting import (
    MODEL,
    PAPER,
    PAPER_BAND,
    TWO_COLUMNS,
    FigureFiles,
    figure,
    label,
    null_styles,
    shared_legend,
    size_axis,
    with_bars,
    with_interval,
)


def main(recovery, nulls, paper, scope, files: FigureFiles) -> None:
    recovery = read_csv(recovery)
    recovery = recovery[recovery["scope"] == scope]
    recovery[["recovery", "ci_low", "ci_high"]] *= 100
    nulls = nulls_of_groups(nulls, "recovery")
    nulls[["value", "low", "high"]] *= 100
    selections = list(recovery["selection"].unique())
    alt = " ".join(_alt_text(recovery, nulls, selection) for selection in selections)
    low, high = paper["group"]["sizes"]
    rate = f"{100 * paper['group']['recovery']:g} %"
    alt += f" The paper reports {rate} for BERT-base at {low} to {high} neurons."
    with figure(files, TWO_COLUMNS, 2.5, columns=len(selections), alt=alt) as axes:
        axes = np.atleast_1d(axes)
        for axis, selection in zip(axes, selections, strict=True):
            axis.axvspan(low, high, **PAPER_BAND)
            axis.axhline(100 * paper["group"]["recovery"], **PAPER, label="paper (BERT-base)")
            chosen = recovery[recovery["selection"] == selection]
            columns = ("size", "recovery", "ci_low", "ci_high")
            with_interval(axis, chosen, *columns, label="model", **MODEL)
            of_nulls = nulls[nulls["selection"] == selection]
            for null, style in null_styles(of_nulls["null_model"]).items():
                rows = of_nulls[of_nulls["null_model"] == null]
                with_bars(axis, rows, label=label(null), **style)
            size_axis(axis, sorted(chosen["size"].unique()))
            axis.set(ylim=(-3, 104), title=f"{label(selection)} selection")
        axes[0].set(ylabel="recovery (% of words)")
        shared_legend(axes)


def _alt_text(recovery, nulls, selection) -> str:
    own, of_nulls = (table[table["selection"] == selection] for table in (recovery, nulls))
    facts = [course("model", own["size"], own["recovery"], " %")]
    for null in null_styles(of_nulls["null_model"]):
        rows = of_nulls[of_nulls["null_model"] == null]
        facts.append(course(label(null), rows["size"], rows["value"], " %"))
    return alt_text(f"Recovery against group size (neurons), {label(selection)} selection", facts)


if "snakemake" in globals():
    run(main, snakemake)
