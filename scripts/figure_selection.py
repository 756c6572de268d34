"""Recovery by the way a word's neurons are chosen; with whom a word shares them."""

import pandas as pd

from running import run
from textualization.describing import course, number, told
from textualization.plotting import (
    COLOURS,
    MODEL,
    NULLS,
    SELECTIONS,
    TWO_COLUMNS,
    figure,
    label,
    marked,
    shared_legend,
    size_axis,
)

#: The size at which shared neurons are drawn, or the nearest to it.
NEURONS = 100
SHARED_NULLS = ("permuted", "untrained")
#: Ways to choose neurons beside those of the study: what they have left.
OTHERS = [
    {"color": colour, "marker": marker, "linestyle": "-."}
    for colour, marker in zip(COLOURS[3:] + ("0.5",), "Dv<>P", strict=True)
]


def main(numbers, parts, pdf, png, txt) -> None:
    numbers = pd.read_csv(numbers)
    sharing = pd.read_csv(next(path for path in parts if "sharing" in path))
    own = numbers[numbers["null_model"].isna() & (numbers["statistic"] == "recovered")]
    alt = _told(own, _shared(sharing))
    with figure(pdf, png, txt, TWO_COLUMNS, 3.4, columns=2, alt=alt) as (left, right):
        styles = _styles(own["condition"].unique())
        for place, (name, rows) in enumerate(own.groupby("condition", sort=False)):
            rows, style = rows.sort_values("size"), styles[name]
            # Side by side, so that bars can be told apart.
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
    """Selections as everywhere; conditions that are none of them in turn."""
    others = [name for name in names if name not in SELECTIONS]
    return SELECTIONS | {name: OTHERS[n % len(OTHERS)] for n, name in enumerate(others)}


def _shared(sharing) -> pd.DataFrame:
    """What words share by absolute selection at the size that is drawn, by relation."""
    size = min(sharing["size"].unique(), key=lambda size: abs(size - NEURONS))
    rows = sharing[(sharing["size"] == size) & (sharing["condition"] == "absolute")]
    return rows.sort_values("share")


def _told(own, shared) -> str:
    left = [
        course(label(name), rows["size"], 100 * rows["value"], " %")
        for name, rows in own.groupby("condition", sort=False)
    ]
    right = []
    for row in shared.to_dict("records"):
        beside = [f"{null} {number(100 * row[null], ' %')}" for null in SHARED_NULLS if null in row]
        right.append(", ".join([f"{row['relation']} {number(100 * row['share'], ' %')}", *beside]))
    left = told("Recovery against group size (neurons), by the way neurons are chosen", left)
    title = "Neurons that a word shares with related words, absolute selection"
    return f"{left} {told(title, right)}"


def _sharing(axis, sharing) -> None:
    """Shared neurons by relation: the model, and null models with open marks."""
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
    run(
        main,
        snakemake,
        numbers=snakemake.input.numbers,
        parts=snakemake.input.parts,
        **dict(snakemake.output.items()),
    )
