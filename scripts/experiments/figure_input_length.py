"""Optima with several free positions, against the number of free positions.

Panels show closeness to words, activation and recovery at the position that is read, and at the
other positions (diamonds). Bars are intervals.
"""

import numpy as np
import pandas as pd

from study.job import run
from study.results import read_experiment
from textualization.analysis.estimates import Intervals, centre, rate
from textualization.report.alt_text import alt_text, course
from textualization.report.plotting import (
    ELSEWHERE,
    MODEL,
    NULLS,
    TWO_COLUMNS,
    FigureFiles,
    figure,
    shared_legend,
)

#: Column, kind of objective and label of every panel.
PANELS = (
    ("nearest_cosine", "single", "single neurons: cosine\nto the nearest word"),
    ("nearest_cosine", "group", "groups: cosine\nto the nearest word"),
    ("activation_share", "group", "groups: activation (share\nof the highest)"),
    ("recovered", "group", "groups: recovery\n(% of words)"),
)
LINES = {
    "model": MODEL,
    "permuted": NULLS["permuted"],
    "untrained": NULLS["untrained"],
    "model, at other positions": ELSEWHERE,
}


def main(optima, intervals: Intervals, files: FigureFiles) -> None:
    optima = read_experiment(optima)
    panels = [(title, _panel(optima, column, kind, intervals)) for column, kind, title in PANELS]
    alt = " ".join(
        alt_text(
            f"Against free positions, {title.replace(chr(10), ' ')}",
            [course(name, points["length"], points["value"]) for name, points in lines.items()],
        )
        for title, lines in panels
    )
    with figure(files, TWO_COLUMNS, 2.4, columns=len(PANELS), alt=alt) as axes:
        for axis, (title, lines) in zip(axes, panels, strict=True):
            for name, points in lines.items():
                bars = [
                    (points["value"] - points["low"]).clip(0),
                    (points["high"] - points["value"]).clip(0),
                ]
                axis.errorbar(
                    points["length"], points["value"], yerr=bars, elinewidth=0.6, capsize=1.5, ms=3,
                    label=name, **LINES[name],
                )  # fmt: skip
            axis.set_xticks(sorted(optima["length"].unique()))
            axis.set(xlabel="free positions", ylabel=title)
        shared_legend(axes)


def _panel(optima, column, kind, intervals) -> dict[str, pd.DataFrame]:
    """Return a panel's lines by name: the model, its null models, the model at other positions."""
    of = optima[optima["kind"] == kind]
    lines = {
        null: _points(of[of["null"] == null], column, intervals)
        for null in LINES
        if null in set(of["null"])
    }
    other = f"{column}_elsewhere"
    if other in of and column != "activation_share":
        own = of[of["null"] == "model"].dropna(subset=other)
        if len(own):
            lines["model, at other positions"] = _points(own, other, intervals)
    return lines


def _points(table, column, intervals) -> pd.DataFrame:
    """Return means over neurons or words with intervals, over all positions of a length."""
    is_rate, scale = column.startswith("recovered"), 100 if column.startswith("recovered") else 1
    unit = ["site", "layer", "index"] if table["kind"].iloc[0] == "single" else ["word"]
    points = []
    for length, same in table.groupby("length"):
        values = same.groupby(unit)[column].mean()
        found = (
            rate(values, intervals.confidence) if is_rate else centre(values, np.mean, intervals)
        )
        points.append((length, *(scale * value for value in found)))
    return pd.DataFrame(points, columns=["length", "value", "low", "high"])


if "snakemake" in globals():
    run(main, snakemake)
