"""How far words, texts, sentences and optima go, and what each says of what else activates.

Left: the share of the ceiling that is reached, for single neurons and groups. Middle: explanation, the
correlation over words of closeness to what was found and of activation; filled, by the token or position
that is read; open, by the mean of the best words, of the text's tokens, or of the best tokens of the
corpus, judged on other words. Right: the same correlation over all tokens of sentences that no search
has read, each token within its sentence. Black: the model; colours: null models; bars are intervals.
"""

import re

import pandas as pd

from study.job import run
from textualization.report.alt_text import alt_text, interval
from textualization.report.csv_tables import read_csv
from textualization.report.plotting import (
    MODEL,
    TWO_COLUMNS,
    FigureFiles,
    figure,
    label,
    marked,
    null_styles,
    shared_legend,
)

#: Statistics of every kind of panel: scale and axis label, and whether the points are open.
PANELS = {
    "share of the ceiling (%)": (100, {"share_of_ceiling": False}),
    "explanation": (1, {"explanation": False, "explanation_top": True}),
    "explanation in\nheld-out sentences": (
        1,
        {"explanation_sentences": False, "explanation_top_sentences": True},
    ),
}
#: Names of blocks, in the order in which they are drawn, below them all others.
NAMES = {
    "best_word": "best word",
    "text": "text of {} tokens",
    "sentence": "sentence",
    "optimum": "optimum",
    "positions": "optimum, {} positions",
}
#: Columns of the model's values and of null models'.
OWN, OF_NULL = ("value", "ci_low", "ci_high"), ("null_value", "null_low", "null_high")
#: Room that the points of one condition take on the axis.
ROOM = 0.72


def main(numbers, files: FigureFiles) -> None:
    points = _points(read_csv(numbers))
    conditions = list(dict.fromkeys(points.sort_values("order", kind="stable")["condition"]))
    series = ["model", *points.loc[points["series"] != "model", "series"].unique()]
    panels, kinds = (
        list(dict.fromkeys(points[keys].itertuples(index=False, name=None)))
        for keys in (["panel"], ["of", "size"])
    )
    parts = dict(list(points.groupby(["panel", "of", "size"], sort=False)))
    alt = " ".join(
        alt_text(
            f"{' '.join(panel.split()).removesuffix(' (%)')}, {_objectives(of, size)}",
            [interval(*fact) for fact in _facts(rows)],
        )
        for (panel, of, size), rows in parts.items()
    )
    height = 1.0 + len(kinds) * (0.35 + 0.27 * len(conditions))
    with figure(files, TWO_COLUMNS, height, alt=alt) as whole:
        # A row per kind of objective, a column per kind of panel.
        drawn = whole.figure
        whole.remove()
        axes = drawn.subplots(len(kinds), len(panels), squeeze=False, sharey=True)
        for row, kind in zip(axes, kinds, strict=True):
            for axis, (panel,) in zip(row, panels, strict=True):
                if (panel, *kind) in parts:
                    _draw(axis, parts[panel, *kind], conditions, series)
                axis.set_title(_objectives(*kind))
        for axis, (panel,) in zip(axes[-1], panels, strict=True):
            axis.set_xlabel(panel)
        # The last axes have all points, and beside each of them the open one.
        shared_legend(axes.ravel()[::-1], columns=len(series))


def _points(numbers) -> pd.DataFrame:
    """Return all points: `panel`, `of`, `size`, `order`, `condition`, `series`, `is_open`, `value`, …"""
    parts, order = [], list(NAMES)
    for panel, (scale, statistics) in PANELS.items():
        for statistic, is_open in statistics.items():
            rows = numbers[numbers["statistic"] == statistic]
            is_null = rows["null_model"].notna()
            for some, columns in ((rows[~is_null], OWN), (rows[is_null], OF_NULL)):
                found = scale * some[list(columns)].astype(float)
                parts.append(
                    found.set_axis(["value", "low", "high"], axis=1).assign(
                        panel=panel,
                        of=some["of"],
                        size=some["size"],
                        order=[order.index(b) if b in NAMES else len(order) for b in some["block"]],
                        condition=[*map(_name, some["block"], some["condition"])],
                        series=some["null_model"].fillna("model"),
                        is_open=is_open,
                    )
                )
    return pd.concat(parts, ignore_index=True)


def _name(block: str, condition: str) -> str:
    """Name a condition by its block and, if it has one, its length."""
    length = re.search(r"length=(\d+)", condition)
    if block not in NAMES or ("{}" in NAMES[block]) != bool(length):
        return label(condition)
    return NAMES[block].format(length[1] if length else "")


def _objectives(of: str, size: float) -> str:
    return "single neurons" if of == "single" else f"{label(of)}s of {size:g}"


def _facts(points) -> list[tuple]:
    return [
        (
            f"{row.condition}{', top items' if row.is_open else ''}, {row.series}",
            row.value, row.low, row.high,
        )
        for row in points.itertuples()
    ]  # fmt: skip


def _draw(axis, points, conditions, series) -> None:
    """Draw a panel: per condition, from top to bottom, a point for every series and statistic."""
    styles = null_styles(name for name in series if name != "model") | {"model": MODEL}
    steps = max(2 * len(series) - 1, 1) if points["is_open"].any() else max(len(series) - 1, 1)
    for place, name in enumerate(series):
        for is_open in (False, True):
            rows = points[(points["series"] == name) & (points["is_open"] == is_open)]
            if not len(rows):
                continue
            at = 2 * place + is_open if points["is_open"].any() else place
            y = [conditions.index(c) + ROOM * (at / steps - 0.5) for c in rows["condition"]]
            bars = [(rows["value"] - rows["low"]).clip(0), (rows["high"] - rows["value"]).clip(0)]
            style = marked(styles[name])
            axis.errorbar(
                rows["value"], y, xerr=bars, elinewidth=0.6, ms=2.8, mew=0.7, ls="none",
                mfc="white" if is_open else style["color"],
                label=f"{label(name)}, mean of top items" if is_open else label(name), **style,
            )  # fmt: skip
    for edge in range(1, len(conditions)):
        axis.axhline(edge - 0.5, color="0.9", lw=0.5, zorder=0)
    axis.set_yticks(range(len(conditions)), labels=conditions)
    axis.set_ylim(len(conditions) - 0.5, -0.5)
    axis.axvline(0, color="0.6", lw=0.6, zorder=0)


if "snakemake" in globals():
    run(main, snakemake)
