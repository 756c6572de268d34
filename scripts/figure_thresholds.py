"""Group sizes at which words come back, overall and word by word, beside nulls and the paper's band."""

import numpy as np
import pandas as pd

from optima import nulls_of_groups
from running import run
from textualization.describing import interval, told
from textualization.plotting import (
    MODEL,
    NULLS,
    PAPER_BAND,
    TWO_COLUMNS,
    figure,
    label,
    marked,
    shared_legend,
    size_axis,
)


def main(thresholds, by_word, nulls, paper, sizes, scope, pdf, png, txt) -> None:
    thresholds, by_word = pd.read_csv(thresholds), pd.read_csv(by_word)
    thresholds = thresholds[thresholds["scope"] == scope]
    by_word = by_word[by_word["scope"] == scope]
    nulls = nulls_of_groups(nulls, "threshold").rename(columns={"size": "percent"})
    selections = list(thresholds["selection"].unique())
    alt = " ".join(
        _told(*_found(thresholds, nulls, selection), selection) for selection in selections
    )
    low, high = paper["group"]["sizes"]
    alt += f" The paper reports 67 % for BERT-base at {low} to {high} neurons."
    with figure(pdf, png, txt, TWO_COLUMNS, 2.4, columns=len(selections), alt=alt) as axes:
        axes = np.atleast_1d(axes)
        for axis, selection in zip(axes, selections, strict=True):
            axis.axvspan(*paper["group"]["sizes"], label="paper: 67 % (BERT-base)", **PAPER_BAND)
            found, levels = _found(thresholds, nulls, selection)
            _words(axis, by_word[by_word["selection"] == selection], levels)
            for place, (name, rows) in enumerate(found.items()):
                y = [levels.index(percent) + 0.3 - 0.14 * place for percent in rows["percent"]]
                _intervals(
                    axis, rows, y, sizes, label=label(name), **marked(NULLS.get(name, MODEL))
                )
            size_axis(axis, sizes)
            axis.set_xlim(sizes[0] / 1.3, max(sizes[-1], paper["group"]["sizes"][1]) * 1.15)
            axis.set_yticks(range(len(levels)), labels=[f"{level} %" for level in levels])
            axis.set(title=f"{label(selection)} selection", ylim=(-0.6, len(levels) - 0.4))
        axes[0].set(ylabel="recovery")
        shared_legend(axes)


def _found(thresholds, nulls, selection) -> tuple[dict, list]:
    """What is drawn for a selection: of the model and of each null, a table; and the levels (%)."""
    own = thresholds[thresholds["selection"] == selection]
    own = own[["percent", "neurons", "ci_low", "ci_high"]]
    beside = nulls[nulls["selection"] == selection]
    found = {"model": own.set_axis(["percent", "value", "low", "high"], axis=1)}
    found |= {null: rows for null, rows in beside.groupby("null_model") if null in NULLS}
    return found, sorted(own["percent"])


def _told(found, levels, selection) -> str:
    facts = [
        interval(f"{label(name)}, {row.percent} %", row.value, row.low, row.high)
        for name, rows in found.items()
        for row in rows.sort_values("percent").itertuples()
    ]
    shares = ", ".join(f"{level} %" for level in levels)
    opening = f"Neurons at which {shares} of words come back, {label(selection)} selection"
    return told(opening, facts)


def _words(axis, by_word, levels) -> None:
    """One tick per word, below its level's line."""
    places = by_word["percent"].map(levels.index) - 0.42
    axis.plot(by_word["neurons"], places, "|", color="0.6", ms=4, mew=0.5, label="one word")


def _intervals(axis, rows, y, sizes, color, marker, label) -> None:
    """Points with their intervals; what is not reached within the sizes has no point."""
    low, high = (rows[side].clip(sizes[0], sizes[-1] * 1.1) for side in ("low", "high"))
    axis.hlines(y, low, high, color=color, lw=0.9)
    axis.plot(rows["value"], y, ls="none", marker=marker, color=color, ms=3.5, label=label)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        thresholds=snakemake.input.thresholds,
        by_word=snakemake.input.by_word,
        nulls=snakemake.input.nulls,
        **dict(snakemake.params.items()),
        **dict(snakemake.output.items()),
    )
