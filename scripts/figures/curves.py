"""Activation along the ascent, as a share of the exact ceiling.

Left: single neurons, by layer. Right: groups, by size. Lines are medians and bands are quartiles.
"""

import numpy as np
import pandas as pd
from matplotlib import colormaps

from study.job import run
from textualization.report.alt_text import alt_text, course
from textualization.report.plotting import TWO_COLUMNS, FigureFiles, figure, legend_above


def main(singles, single_curves, groups, group_curves, files: FigureFiles) -> None:
    panels = {
        "single neurons, by layer": _shares(singles, single_curves, "layer"),
        "groups, by size": _shares(groups, group_curves, "size"),
    }
    alt = " ".join(
        alt_text(
            f"Activation along the ascent, median % of its ceiling, by step; {title}",
            [
                course(f"{value}", shares.index, shares[0.5], " %")
                for value, shares in lines.items()
            ],
        )
        for title, lines in panels.items()
    )
    with figure(files, TWO_COLUMNS, 2.6, columns=2, alt=alt) as axes:
        for axis, (title, lines) in zip(axes, panels.items(), strict=True):
            _panel(axis, lines, title)


def _shares(facts, curves, by) -> dict:
    """Return, per value of `by`, the quartiles of the share of the ceiling (%) at every step."""
    facts, curves = pd.read_parquet(facts), pd.read_parquet(curves)
    curves = curves.join(facts[[by, "ceiling"]], on="row")
    curves["share"] = 100 * curves["activation"] / curves["ceiling"]
    over_steps = curves.groupby([by, "step"])["share"].quantile([0.25, 0.5, 0.75]).unstack()
    return {value: over_steps.loc[value] for value in sorted(facts[by].unique())}


def _panel(axis, lines, title) -> None:
    # Light to dark, so that the order is readable in grey.
    colours = colormaps["cividis"](np.linspace(0.85, 0, len(lines)))
    for (value, shares), colour in zip(lines.items(), colours, strict=True):
        axis.plot(shares.index, shares[0.5], color=colour, label=str(value))
        axis.fill_between(shares.index, shares[0.25], shares[0.75], color=colour, alpha=0.12, lw=0)
    axis.set_xscale("symlog", linthresh=1)
    axis.set_xlim(0, max(shares.index.max() for shares in lines.values()))
    axis.set(xlabel="step", ylabel="activation (% of its ceiling)")
    legend_above(axis, 4, title=title, title_fontsize=7)


if "snakemake" in globals():
    run(main, snakemake)
