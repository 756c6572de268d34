"""Activation against closeness to words, for every parametrisation and penalty.

Each point is one condition, for single neurons or groups. No condition beats those on the grey
front in both activation and closeness. Crosses are the null model; bars are intervals.
"""

import numpy as np
import pandas as pd

from study.job import run
from textualization.report.alt_text import alt_text, number
from textualization.report.csv_tables import read_csv
from textualization.report.plotting import (
    COLOURS,
    TWO_COLUMNS,
    FigureFiles,
    figure,
    label,
    shared_legend,
)

#: Colours and markers of blocks, in the order of the settings.
SHADES = (*COLOURS, "0.5")
MARKERS = "os^Dv<>PX*hdp8H"
TITLES = {"single": "single neurons", "group": "groups"}


def main(numbers, front, blocks, files: FigureFiles) -> None:
    numbers, front = read_csv(numbers), read_csv(front)
    own = numbers[numbers["null_model"].isna()]
    kinds = [kind for kind in TITLES if kind in set(own["of"])]
    alt = " ".join(
        _alt_text(own[own["of"] == kind], front[front["of"] == kind], kind) for kind in kinds
    )
    with figure(files, TWO_COLUMNS, 3.4, columns=len(kinds), alt=alt) as axes:
        axes = np.atleast_1d(axes)
        for axis, kind in zip(axes, kinds, strict=True):
            _panel(axis, own[own["of"] == kind], blocks)
            on = front[(front["of"] == kind) & front["on_front"]].sort_values("nearest_cosine")
            line = (on["nearest_cosine"], on["activation_share"])
            axis.plot(*line, color="0.6", lw=3, alpha=0.35, zorder=0, label="front")
            nulls = numbers[(numbers["of"] == kind) & numbers["null_model"].notna()]
            _nulls(axis, nulls)
            axis.set(xlabel="cosine to the nearest word", title=TITLES[kind], xlim=(None, 1.02))
        axes[0].set_ylabel("activation (share of the\nhighest under any condition)")
        shared_legend(axes, columns=5)


def _alt_text(own, front, kind) -> str:
    """Describe every condition's point, and say which are on the front."""
    on = set(front.loc[front["on_front"], "condition"])
    facts = [
        f"{label(point.condition)}{' (on the front)' if point.condition in on else ''} "
        f"{number(point.x)}, {number(point.y)}"
        for point in _points(own).itertuples()
    ]
    opening = "cosine to the nearest word, then activation as a share of the highest"
    return alt_text(f"{TITLES[kind]} by condition, {opening}", facts)


def _points(numbers) -> pd.DataFrame:
    """Return x, y and their bounds by condition."""
    columns = {"nearest_cosine": "x", "activation_share": "y"}
    parts = []
    for statistic, axis in columns.items():
        found = numbers[numbers["statistic"] == statistic]
        found = found.groupby(["block", "condition"], sort=False)[["value", "ci_low", "ci_high"]]
        parts.append(found.mean().set_axis([axis, f"{axis}_low", f"{axis}_high"], axis=1))
    return pd.concat(parts, axis=1).dropna(subset=["x", "y"]).reset_index()


def _panel(axis, own, blocks) -> None:
    points = _points(own)
    for place, block in enumerate(blocks):
        rows = points[points["block"] == block]
        colour, marker = SHADES[place % 8], MARKERS[place % len(MARKERS)]
        x, y = rows["x"], rows["y"]
        bars = {
            f"{of}err": [(at - rows[f"{of}_low"]).clip(0), (rows[f"{of}_high"] - at).clip(0)]
            for of, at in (("x", x), ("y", y))
        }
        axis.errorbar(x, y, **bars, fmt="none", ecolor=colour, elinewidth=0.4, alpha=0.6)
        axis.plot(x, y, marker=marker, color=colour, ls="-", lw=0.5, ms=4, label=label(block))


def _nulls(axis, nulls) -> None:
    """Draw the null models' values, small and grey."""
    for null, marker in zip(nulls["null_model"].unique(), "x+12", strict=False):
        rows = nulls[nulls["null_model"] == null].assign(value=nulls["null_value"])
        points = _points(rows.assign(ci_low=np.nan, ci_high=np.nan))
        axis.plot(points["x"], points["y"], marker, color="0.6", ms=4, mew=0.7, label=null)


if "snakemake" in globals():
    run(main, snakemake)
