"""Recovery by the way a word's neurons are chosen, and neurons that words share.

Left: recovery against group size for every way to choose. Right: share of its neurons that a word
has in common with related words, in the model (filled) and in null models (open).
"""

import pandas as pd

from study.job import run
from textualization.report.alt_text import alt_text, course, number
from textualization.report.csv_tables import read_csv
from textualization.report.plotting import (
    COLOURS,
    MODEL,
    NULLS,
    SELECTIONS,
    TWO_COLUMNS,
    FigureFiles,
    figure,
    label,
    marked,
    shared_legend,
    size_axis,
)

#: Group size at which shared neurons are shown, or the nearest one.
NEURONS = 100
SHARED_NULLS = ("permuted", "untrained")
#: Styles of ways to choose neurons that the study itself does not have.
OTHERS = [
    {"color": colour, "marker": marker, "linestyle": "-."}
    for colour, marker in zip(COLOURS[3:] + ("0.5",), "Dv<>P", strict=True)
]


def main(numbers, sharing, files: FigureFiles) -> None:
    numbers = read_csv(numbers)
    sharing = read_csv(sharing)
    own = numbers[numbers["null_model"].isna() & (numbers["statistic"] == "recovered")]
    alt = _alt_text(own, _shared(sharing))
    with figure(files, TWO_COLUMNS, 3.4, columns=2, alt=alt) as (left, right):
        styles = _styles(own["condition"].unique())
        for place, (name, rows) in enumerate(own.groupby("condition", sort=False)):
            rows, style = rows.sort_values("size"), styles[name]
            # Shifted, so that no bar hides another.
            x = rows["size"] * (1 + 0.025 * (place - 3))
            bars = [
                100 * (rows["value"] - rows["ci_low"]).clip(0),
                100 * (rows["ci_high"] - rows["value"]).clip(0),
            ]
            left.errorbar(
                x, 100 * rows["value"], yerr=bars, elinewidth=0.4, ms=3, lw=0.9,
                label=label(name), **style,
            )  # fmt: skip
        size_axis(left, sorted(own["size"].unique()))
        left.set(ylabel="recovery (% of words)", ylim=(-3, 104))
        _sharing(right, sharing)
        shared_legend([left, right], columns=4)


def _styles(names) -> dict[str, dict]:
    """Return the usual styles of selections, and styles in turn for other conditions."""
    others = [name for name in names if name not in SELECTIONS]
    return SELECTIONS | {name: OTHERS[n % len(OTHERS)] for n, name in enumerate(others)}


def _shared(sharing) -> pd.DataFrame:
    """Return what words share under absolute selection at the size shown, by relation."""
    size = min(sharing["size"].unique(), key=lambda size: abs(size - NEURONS))
    rows = sharing[(sharing["size"] == size) & (sharing["condition"] == "absolute")]
    return rows.sort_values("share")


def _alt_text(own, shared) -> str:
    left = [
        course(label(name), rows["size"], 100 * rows["value"], " %")
        for name, rows in own.groupby("condition", sort=False)
    ]
    right = []
    for row in shared.to_dict("records"):
        nulls = [f"{null} {number(100 * row[null], ' %')}" for null in SHARED_NULLS if null in row]
        right.append(", ".join([f"{row['relation']} {number(100 * row['share'], ' %')}", *nulls]))
    left = alt_text("Recovery against group size (neurons), by the way neurons are chosen", left)
    title = "Neurons that a word shares with related words, absolute selection"
    return f"{left} {alt_text(title, right)}"


def _sharing(axis, sharing) -> None:
    """Draw shared neurons by relation: the model filled, null models open."""
    rows = _shared(sharing)
    for place, row in enumerate(rows.itertuples()):
        axis.plot([100 * row.ci_low, 100 * row.ci_high], [place, place], color="black", lw=0.8)
        axis.plot(
            100 * row.share,
            place,
            ls="none",
            label=None if place else "shared: model",
            **marked(MODEL),
        )
        for null in SHARED_NULLS:
            if hasattr(row, null):
                name = None if place else f"shared: {null}"
                at = (100 * getattr(row, null), place - 0.2)
                axis.plot(*at, ls="none", mfc="white", label=name, **marked(NULLS[null]))
    axis.set_yticks(range(len(rows)), labels=rows["relation"])
    axis.set_xlabel(f"shared, of a word's {rows['size'].iloc[0]:g} neurons (%)")


if "snakemake" in globals():
    run(main, snakemake)
