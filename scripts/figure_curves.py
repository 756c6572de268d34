"""How activation rises along the ascent, as a share of what LayerNorm allows at all."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from running import run
from textualization.plotting import TWO_COLUMNS, figure, legend_above


def main(singles, single_curves, groups, group_curves, pdf, png) -> None:
    with figure(pdf, png, TWO_COLUMNS, 2.6, columns=2) as (left, right):
        _panel(
            left,
            pd.read_parquet(singles),
            pd.read_parquet(single_curves),
            "layer",
            "single neurons, by layer",
        )
        _panel(
            right, pd.read_parquet(groups), pd.read_parquet(group_curves), "size", "groups, by size"
        )


def _panel(axis, facts, curves, by, title) -> None:
    """Median and quartiles of the share of the ceiling, per value of `by`."""
    curves = curves.join(facts[[by, "ceiling"]], on="row")
    curves["share"] = 100 * curves["activation"] / curves["ceiling"]
    values = sorted(facts[by].unique())
    # One hue from light to dark: the order is readable in grey.
    colours = plt.cm.cividis(np.linspace(0.85, 0, len(values)))
    for value, colour in zip(values, colours, strict=True):
        over_steps = curves[curves[by] == value].groupby("step")["share"]
        low, middle, high = (over_steps.quantile(q) for q in (0.25, 0.5, 0.75))
        axis.plot(middle.index, middle, color=colour, label=str(value))
        axis.fill_between(middle.index, low, high, color=colour, alpha=0.12, lw=0)
    axis.set_xscale("symlog", linthresh=1)
    axis.set_xlim(0, curves["step"].max())
    axis.set(xlabel="step", ylabel="activation (% of its ceiling)")
    legend_above(axis, 4, title=title, title_fontsize=7)


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        singles=snakemake.input.singles,
        single_curves=snakemake.input.single_curves,
        groups=snakemake.input.groups,
        group_curves=snakemake.input.group_curves,
        pdf=snakemake.output.pdf,
        png=snakemake.output.png,
    )
