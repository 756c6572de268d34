"""Group sizes at which given shares of words are recovered, for the model and its nulls.

Sizes come from a logistic curve in log size (bars: bootstrap intervals over words; ticks: single
words). Grey marks the sizes for which the paper reports 67 %.
"""

import numpy as np

from study.job import run
from study.results import nulls_of_groups
from textualization.report.alt_text import alt_text, interval
from textualization.report.csv_tables import read_csv
from textualization.report.plotting import (
    MODEL,
    PAPER_BAND,
    TWO_COLUMNS,
    FigureFiles,
    figure,
    label,
    marked,
    null_styles,
    shared_legend,
    size_axis,
)


def main(thresholds, by_word, nulls, paper, sizes, scope, files: FigureFiles) -> None:
    thresholds, by_word = read_csv(thresholds), read_csv(by_word)
    thresholds = thresholds[thresholds["scope"] == scope]
    by_word = by_word[by_word["scope"] == scope]
    nulls = nulls_of_groups(nulls, "threshold").rename(columns={"size": "percent"})
    selections = list(thresholds["selection"].unique())
    alt = " ".join(
        _alt_text(*_found(thresholds, nulls, selection), selection) for selection in selections
    )
    low, high = paper["group"]["sizes"]
    alt += f" The paper reports 67 % for BERT-base at {low} to {high} neurons."
    with figure(files, TWO_COLUMNS, 2.4, columns=len(selections), alt=alt) as axes:
        axes = np.atleast_1d(axes)
        for axis, selection in zip(axes, selections, strict=True):
            axis.axvspan(*paper["group"]["sizes"], label="paper: 67 % (BERT-base)", **PAPER_BAND)
            found, levels = _found(thresholds, nulls, selection)
            _words(axis, by_word[by_word["selection"] == selection], levels)
            styles = {"model": MODEL} | null_styles(list(found)[1:])
            for place, (name, rows) in enumerate(found.items()):
                y = [levels.index(percent) + 0.3 - 0.14 * place for percent in rows["percent"]]
                _intervals(axis, rows, y, sizes, label=label(name), **marked(styles[name]))
            size_axis(axis, sizes)
            axis.set_xlim(sizes[0] / 1.3, max(sizes[-1], paper["group"]["sizes"][1]) * 1.15)
            axis.set_yticks(range(len(levels)), labels=[f"{level} %" for level in levels])
            axis.set(title=f"{label(selection)} selection", ylim=(-0.6, len(levels) - 0.4))
        axes[0].set(ylabel="recovery")
        shared_legend(axes)


def _found(thresholds, nulls, selection) -> tuple[dict, list]:
    """Return what to draw for a selection: a table of the model and of each null; levels (%)."""
    own = thresholds[thresholds["selection"] == selection]
    own = own[["percent", "neurons", "ci_low", "ci_high"]]
    of_nulls = nulls[nulls["selection"] == selection]
    found = {"model": own.set_axis(["percent", "value", "low", "high"], axis=1)}
    found |= {null: rows for null, rows in of_nulls.groupby("null_model")}
    return found, sorted(own["percent"])


def _alt_text(found, levels, selection) -> str:
    facts = [
        interval(f"{label(name)}, {row.percent} %", row.value, row.low, row.high)
        for name, rows in found.items()
        for row in rows.sort_values("percent").itertuples()
    ]
    shares = ", ".join(f"{level} %" for level in levels)
    opening = f"Neurons at which {shares} of words are recovered, {label(selection)} selection"
    return alt_text(opening, facts)


def _words(axis, by_word, levels) -> None:
    """Draw one tick per word, below the line of its level."""
    places = by_word["percent"].map(levels.index) - 0.42
    axis.plot(by_word["neurons"], places, "|", color="0.6", ms=4, mew=0.5, label="one word")


def _intervals(axis, rows, y, sizes, color, marker, label) -> None:
    """Draw points with intervals; a rate that no size reaches has no point."""
    low, high = (rows[side].clip(sizes[0], sizes[-1] * 1.1) for side in ("low", "high"))
    axis.hlines(y, low, high, color=color, lw=0.9)
    axis.plot(rows["value"], y, ls="none", marker=marker, color=color, ms=3.5, label=label)


if "snakemake" in globals():
    run(main, snakemake)
