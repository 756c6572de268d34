"""Group sizes at which words come back, under every setting; and where ascents freeze."""

import numpy as np
import pandas as pd

from running import run
from textualization.describing import interval, number, told
from textualization.plotting import (
    MODEL,
    NULLS,
    PAPER_BAND,
    TWO_COLUMNS,
    figure,
    label,
    legend_above,
    marked,
)


def main(numbers, parts, paper, pdf, png, txt) -> None:
    numbers = pd.read_csv(numbers)
    freezing = pd.read_csv(next(path for path in parts if "freezing" in path))
    alt = _told(numbers, freezing, paper)
    with figure(pdf, png, txt, TWO_COLUMNS, 3.6, columns=2, alt=alt) as (left, right):
        _thresholds(left, numbers, paper)
        _map(right, freezing)


def _told(numbers, freezing, paper) -> str:
    own = numbers[(numbers["statistic"] == "threshold_67") & numbers["null_model"].isna()]
    facts = [
        interval(_short(row.condition), row.value, row.ci_low, row.ci_high)
        for row in own.itertuples()
    ]
    low, high = paper["group"]["sizes"]
    text = told("Neurons at which 67 % of words come back, by condition", facts)
    text += f" The paper reports {low} to {high} for BERT-base."
    tried = _tried(freezing)
    facts = [
        f"rate {row.rate:g} and scale {row.init_scale:g} {number(row.activation_share)}"
        for row in tried.itertuples()
    ]
    title = "Single neurons' activation as a share of the highest, by rate and scale of the start"
    return f"{text} {told(title, facts)}" if len(tried) else text


def _thresholds(axis, numbers, paper) -> None:
    """Neurons at which 67 % of words come back, by condition; null models beside."""
    found = numbers[numbers["statistic"] == "threshold_67"]
    own = found[found["null_model"].isna()]
    names = list(own["condition"])[::-1]
    axis.axvspan(*paper["group"]["sizes"], **PAPER_BAND, label="paper (BERT-base)")
    for place, name in enumerate(names):
        row = own[own["condition"] == name].iloc[0]
        value = row["value"]
        if np.isfinite(value):
            high = row["ci_high"] if np.isfinite(row["ci_high"]) else axis.get_xlim()[1]
            axis.plot([row["ci_low"], high], [place, place], color="black", lw=0.8)
            name = "model" if place == 0 else None
            axis.plot(value, place, ls="none", label=name, **marked(MODEL))
        else:
            axis.text(
                0.02,
                place,
                "not reached",
                transform=axis.get_yaxis_transform(),
                va="center",
                fontsize=6,
            )
        for null, beside in (
            found[found["condition"] == name].dropna(subset="null_model").groupby("null_model")
        ):
            style = marked(NULLS[null])
            axis.plot(beside["null_value"], [place - 0.25], ls="none", mfc="white", **style)
    for null in found["null_model"].dropna().unique():
        axis.plot([], [], ls="none", mfc="white", label=label(null), **marked(NULLS[null]))
    axis.set_xscale("log")
    axis.set_xticks([50, 100, 250, 450], labels=["50", "100", "250", "450"])
    axis.set_xticks([], minor=True)
    axis.set_yticks(range(len(names)), labels=[_short(name) for name in names], fontsize=5.5)
    axis.set_xlabel("neurons at which 67 % of words come back")
    legend_above(axis, 2)


def _short(name: str) -> str:
    """A condition without its block's name, if its settings say enough."""
    return label(name.partition(" ")[2] or name)


def _tried(freezing) -> pd.DataFrame:
    """Single neurons of the model, by rate and scale of the start."""
    rows = freezing[(freezing["null"] == "model") & (freezing["of"] == "single")]
    return rows[rows["block"] == "rate_and_scale"]


def _map(axis, freezing) -> None:
    """Activation of single neurons by rate and scale of the start; below it, how long e has become."""
    rows = _tried(freezing)
    if not len(rows):
        axis.set_visible(False)
        return
    table, norm, late = (
        rows.pivot_table(index="rate", columns="init_scale", values=value)
        for value in ("activation_share", "norm", "gain_at_the_end")
    )
    axis.imshow(table, cmap="Greys", vmin=0, vmax=1.6, aspect="auto", origin="lower")
    for y, rate in enumerate(table.index):
        for x, scale in enumerate(table.columns):
            told = f"{table.loc[rate, scale]:.2f}\n‖e‖ {norm.loc[rate, scale]:.2g}\n"
            told += f"{100 * late.loc[rate, scale]:+.2g} %"
            axis.text(x, y, told, ha="center", va="center", fontsize=6)
    axis.set_xticks(range(len(table.columns)), labels=[f"{scale:g}" for scale in table.columns])
    axis.set_yticks(range(len(table.index)), labels=[f"{rate:g}" for rate in table.index])
    axis.set(xlabel="scale of the start", ylabel="rate")
    axis.set_title(
        "single neurons: share of the highest\nactivation, length of e (in words'),\n"
        "gain over the last tenth of the steps",
        fontsize=6.5,
    )


if "snakemake" in globals():
    run(
        main,
        snakemake,
        numbers=snakemake.input.numbers,
        parts=snakemake.input.parts,
        paper=snakemake.params.paper,
        **dict(snakemake.output.items()),
    )
