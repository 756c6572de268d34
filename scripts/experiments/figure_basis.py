"""Optima of neurons, compared with those of other directions of the same layers.

Left to right, of single neurons and rows: closeness of the optimum to words; how well it explains which
words activate; the share of its activation that the best word reaches. Right: recovery of words from
groups, by group size from left to right. Filled: the model; open: null models; bars are intervals.
"""

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

#: Statistic, kinds of objectives, scale and axis label of every panel.
PANELS = (
    ("nearest_cosine", ("single", "leading"), 1, "cosine to\nthe nearest word"),
    ("explanation", ("single", "leading"), 1, "explanation"),
    ("utilisation_best_word", ("single", "leading"), 100, "utilisation,\nbest word (%)"),
    ("recovered", ("group",), 100, "recovery\n(% of words)"),
)
#: Columns of the model's values and of null models'.
OWN, OF_NULL = ("value", "ci_low", "ci_high"), ("null_value", "null_low", "null_high")
#: Room that the points of one basis take on the axis.
ROOM = 0.7


def main(numbers, files: FigureFiles) -> None:
    points = _points(read_csv(numbers))
    panels = [points[points["panel"] == panel] for panel in range(len(PANELS))]
    series = ["model", *points.loc[points["series"] != "model", "series"].unique()]
    alt = " ".join(
        alt_text(
            f"By basis, {title.replace(chr(10), ' ')}", [interval(*fact) for fact in _facts(rows)]
        )
        for (*_, title), rows in zip(PANELS, panels, strict=True)
        if len(rows)
    )
    with figure(files, TWO_COLUMNS, 2.3, columns=len(PANELS), alt=alt) as axes:
        for axis, (*_, title), rows in zip(axes, PANELS, panels, strict=True):
            _draw(axis, rows, series)
            axis.set_ylabel(title)
        shared_legend(axes)


def _points(numbers) -> pd.DataFrame:
    """Return all points: `panel`, `basis`, `size`, `series`, `value`, `low`, `high`."""
    parts = []
    for panel, (statistic, kinds, scale, _) in enumerate(PANELS):
        rows = numbers[(numbers["statistic"] == statistic) & numbers["of"].isin(kinds)]
        is_null = rows["null_model"].notna()
        for some, columns in ((rows[~is_null], OWN), (rows[is_null], OF_NULL)):
            found = (scale * some[list(columns)].astype(float)).set_axis(
                ["value", "low", "high"], axis=1
            )
            leading = some["of"].eq("leading").map({True: ", leading", False: ""})
            parts.append(
                found.assign(
                    panel=panel,
                    basis=some["condition"].map(_basis) + leading,
                    size=some["size"],
                    series=some["null_model"].fillna("model"),
                )
            )
    return pd.concat(parts, ignore_index=True)


def _basis(condition: str) -> str:
    """Return a condition's name, or the basis in it; of a file without its folder."""
    basis = condition.rpartition("basis=")[2]
    return label(basis.rpartition("/")[2].removesuffix(".safetensors"))


def _facts(points) -> list[tuple]:
    several = points["size"].nunique() > 1
    return [
        (
            f"{row.basis}{f', {row.size:g} neurons' if several else ''}, {row.series}",
            row.value, row.low, row.high,
        )
        for row in points.itertuples()
    ]  # fmt: skip


def _draw(axis, points, series) -> None:
    """Draw a panel: per basis, a point for every size and series."""
    bases, sizes = list(points["basis"].unique()), sorted(points["size"].unique())
    styles = null_styles(name for name in series if name != "model") | {"model": MODEL}
    steps = max(len(sizes) * len(series) - 1, 1)
    for place, name in enumerate(series):
        style = marked(styles[name])
        for slot, basis in enumerate(bases):
            rows = points[(points["basis"] == basis) & (points["series"] == name)]
            rows = rows.sort_values("size")
            order = [place * len(sizes) + sizes.index(size) for size in rows["size"]]
            x = [slot + ROOM * (at / steps - 0.5) for at in order]
            bars = [(rows["value"] - rows["low"]).clip(0), (rows["high"] - rows["value"]).clip(0)]
            axis.errorbar(
                x, rows["value"], yerr=bars, elinewidth=0.6, ms=2.6, lw=0.5, alpha=0.9,
                ls="-" if len(sizes) > 1 else "none", label=None if slot else name,
                mfc=style["color"] if name == "model" else "white", mew=0.7, **style,
            )  # fmt: skip
    axis.set_xticks(range(len(bases)), labels=bases, rotation=60, ha="right")
    axis.set_xlim(-0.6, len(bases) - 0.4)


if "snakemake" in globals():
    run(main, snakemake)
