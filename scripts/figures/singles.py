"""Single neurons by layer: closeness of their optima to words, and utilisation.

Left: cosine of the optimum to the nearest word (grey points: neurons; black: means with intervals;
dotted: un-optimised starts). Right: the words' activation as a share of the optimum's (medians;
bars: quartiles).
"""

import pandas as pd

from study.job import run
from textualization.report.alt_text import alt_text, course, number
from textualization.report.csv_tables import read_csv
from textualization.report.plotting import (
    KINDS,
    NULL,
    PAPER,
    TWO_COLUMNS,
    FigureFiles,
    figure,
    label,
    legend_above,
)


def main(singles, summary, paper, files: FigureFiles) -> None:
    neurons, summary = pd.read_parquet(singles), read_csv(summary)
    site = neurons["site"].iloc[0]
    neurons = neurons[neurons["site"] == site]
    layers = summary[(summary["site"] == site) & (summary["layer"].astype(str) != "all")]
    x = layers["layer"].astype(int)
    alt = _alt_text(x, layers, paper["single"])
    with figure(files, TWO_COLUMNS, 2.6, columns=2, alt=alt) as (left, right):
        spread = (neurons["index"] % 16 - 7.5) / 40
        left.scatter(
            neurons["layer"] + spread,
            neurons["nearest_cosine"],
            s=3,
            color="0.75",
            lw=0,
            label="one neuron",
        )
        error = [
            layers["nearest_cosine"] - layers["ci_low"],
            layers["ci_high"] - layers["nearest_cosine"],
        ]
        left.errorbar(
            x,
            layers["nearest_cosine"],
            yerr=error,
            fmt="o-",
            color="black",
            capsize=2,
            label="mean, with its interval",
        )
        left.plot(x, layers["start_nearest_cosine"], **NULL, label="un-optimised start (null)")
        left.axhline(paper["single"]["nearest_cosine"], **PAPER, label="paper (BERT-base)")
        left.set(xlabel="layer", ylabel="cosine to the nearest word", ylim=(0, None))
        left.set_xticks(x)
        legend_above(left, 2)
        for place, (kind, style) in enumerate(KINDS.items()):
            median, low, high = (100 * layers[f"{kind}_{q}"] for q in ("median", "q25", "q75"))
            right.errorbar(
                x + (place - 1) * 0.15,
                median,
                yerr=[median - low, high - median],
                fmt=style["marker"],
                color=style["color"],
                capsize=2,
                label=label(kind),
            )
        right.axhline(100 * paper["single"]["utilisation"], **PAPER, label="paper (BERT-base)")
        right.axhline(0, color="0.8", lw=0.6, zorder=0)
        right.set(xlabel="layer", ylabel="words' share of the\noptimum's activation (%)")
        right.set_xticks(x)
        legend_above(right, 2)


def _alt_text(x, layers, paper) -> str:
    """Describe both panels. x: layers; layers: their summaries; paper: its numbers."""
    cosines = {"optima (mean)": "nearest_cosine", "un-optimised start": "start_nearest_cosine"}
    left = [course(name, x, layers[column]) for name, column in cosines.items()]
    left.append(f"the paper for BERT-base: {number(paper['nearest_cosine'])}")
    right = [course(label(kind), x, 100 * layers[f"{kind}_median"], " %") for kind in KINDS]
    right.append(f"the paper for BERT-base: {number(100 * paper['utilisation'], ' %')}")
    left = alt_text("Single neurons by layer, cosine to the nearest word", left)
    return (
        f"{left} {alt_text('Words as a share of the optimum, median activation by layer', right)}"
    )


if "snakemake" in globals():
    run(main, snakemake)
