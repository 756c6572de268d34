"""Group sizes at which words are recovered under every setting, and where ascents stall.

Left: neurons at which 67 % of words are recovered, by steps, rate, start and solver; grey marks the
paper's sizes. Right: activation of single neurons by rate and scale of the start, with the final
norm of the input.
"""

import numpy as np
import pandas as pd

from study.job import run
from textualization.report.alt_text import alt_text, interval, number
from textualization.report.csv_tables import read_csv
from textualization.report.plotting import (
    MODEL,
    PAPER_BAND,
    TWO_COLUMNS,
    FigureFiles,
    figure,
    label,
    legend_above,
    marked,
    null_styles,
)


def main(numbers, freezing, paper, files: FigureFiles) -> None:
    numbers = read_csv(numbers)
    stalls = read_csv(freezing)
    alt = _alt_text(numbers, stalls, paper)
    with figure(files, TWO_COLUMNS, 3.6, columns=2, alt=alt) as (left, right):
        _thresholds(left, numbers, paper)
        _map(right, stalls)


def _alt_text(numbers, stalls, paper) -> str:
    own = numbers[(numbers["statistic"] == "threshold_67") & numbers["null_model"].isna()]
    facts = [
        interval(_short(row.condition), row.value, row.ci_low, row.ci_high)
        for row in own.itertuples()
    ]
    low, high = paper["group"]["sizes"]
    text = alt_text("Neurons at which 67 % of words are recovered, by condition", facts)
    text += f" The paper reports {low} to {high} for BERT-base."
    tried = _tried(stalls)
    facts = [
        f"rate {row.rate:g} and scale {row.init_scale:g} {number(row.activation_share)}"
        for row in tried.itertuples()
    ]
    title = "Single neurons' activation as a share of the highest, by rate and scale of the start"
    return f"{text} {alt_text(title, facts)}" if len(tried) else text


def _thresholds(axis, numbers, paper) -> None:
    """Draw neurons at which 67 % of words are recovered, by condition, and null models below."""
    found = numbers[numbers["statistic"] == "threshold_67"]
    own = found[found["null_model"].isna()]
    names = list(own["condition"])[::-1]
    styles = null_styles(found["null_model"].dropna())
    axis.axvspan(*paper["group"]["sizes"], **PAPER_BAND, label="paper (BERT-base)")
    for place, name in enumerate(names):
        row = own[own["condition"] == name].iloc[0]
        value = row["value"]
        if np.isfinite(value):
            high = row["ci_high"] if np.isfinite(row["ci_high"]) else axis.get_xlim()[1]
            axis.plot([row["ci_low"], high], [place, place], color="black", lw=0.8)
            axis.plot(value, place, ls="none", **marked(MODEL))
        else:
            axis.text(
                0.02,
                place,
                "not reached",
                transform=axis.get_yaxis_transform(),
                va="center",
                fontsize=6,
            )
        for null, rows in (
            found[found["condition"] == name].dropna(subset="null_model").groupby("null_model")
        ):
            style = marked(styles[null])
            axis.plot(rows["null_value"], [place - 0.25], ls="none", mfc="white", **style)
    axis.plot([], [], ls="none", label="model", **marked(MODEL))
    for null, style in styles.items():
        axis.plot([], [], ls="none", mfc="white", label=label(null), **marked(style))
    axis.set_xscale("log")
    axis.set_xticks([50, 100, 250, 450], labels=["50", "100", "250", "450"])
    axis.set_xticks([], minor=True)
    axis.set_yticks(range(len(names)), labels=[_short(name) for name in names], fontsize=5.5)
    axis.set(xlabel="neurons at which 67 % of words are recovered", ylim=(-0.6, len(names) - 0.4))
    legend_above(axis, 2)


def _short(name: str) -> str:
    """Return a condition's settings, or its name if it has none."""
    return label(name.partition(" ")[2] or name)


def _tried(stalls) -> pd.DataFrame:
    """Select the model's single neurons by rate and scale of the start."""
    rows = stalls[(stalls["null"] == "model") & (stalls["of"] == "single")]
    return rows[rows["block"] == "rate_and_scale"]


def _map(axis, stalls) -> None:
    """Draw single neurons' activation, norm of e and late gain by rate and scale of the start."""
    rows = _tried(stalls)
    if not len(rows):
        axis.set_visible(False)
        return
    table, norm, late = (
        rows.pivot_table(index="rate", columns="init_scale", values=value, dropna=False)
        for value in ("activation_share", "norm", "gain_at_the_end")
    )
    axis.imshow(table, cmap="Greys", vmin=0, vmax=1.6, aspect="auto", origin="lower")
    for y, rate in enumerate(table.index):
        for x, scale in enumerate(table.columns):
            text = f"{table.loc[rate, scale]:.2f}\n‖e‖ {norm.loc[rate, scale]:.2g}\n"
            text += f"{100 * late.loc[rate, scale]:+.2g} %"
            axis.text(x, y, text, ha="center", va="center", fontsize=6)
    axis.set_xticks(range(len(table.columns)), labels=[f"{scale:g}" for scale in table.columns])
    axis.set_yticks(range(len(table.index)), labels=[f"{rate:g}" for rate in table.index])
    axis.set(xlabel="scale of the start", ylabel="rate")
    axis.set_title(
        "single neurons: share of the highest\nactivation, norm of e (mean word: 1),\n"
        "gain over the last tenth of the steps",
        fontsize=6.5,
    )


if "snakemake" in globals():
    run(main, snakemake)
