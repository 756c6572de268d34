"""Recovery by the way a word's neurons are chosen; with whom a word shares them."""

import pandas as pd

from running import run
from textualization.plotting import MODELS, TWO_COLUMNS, figure, label, shared_legend, size_axis

#: The size at which shared neurons are drawn, or the nearest to it.
NEURONS = 100


def main(numbers, parts, pdf, png) -> None:
    numbers = pd.read_csv(numbers)
    sharing = pd.read_csv(next(path for path in parts if "sharing" in path))
    with figure(pdf, png, TWO_COLUMNS, 3.4, columns=2) as (left, right):
        own = numbers[numbers["null_model"].isna() & (numbers["statistic"] == "recovered")]
        for place, (name, rows) in enumerate(own.groupby("condition", sort=False)):
            rows, style = rows.sort_values("size"), MODELS[place % len(MODELS)]
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


def _sharing(axis, sharing) -> None:
    """Shared neurons by relation: the model, and null models with open marks."""
    size = min(sharing["size"].unique(), key=lambda size: abs(size - NEURONS))
    rows = sharing[(sharing["size"] == size) & (sharing["condition"] == "absolute")]
    rows = rows.sort_values("share")
    for place, row in enumerate(rows.itertuples()):
        axis.plot([100 * row.ci_low, 100 * row.ci_high], [place, place], color="black", lw=0.8)
        axis.plot(
            100 * row.share, place, "o", color="black", label=None if place else "shared: model"
        )
        for null, style in {"permuted": ("s", "#D55E00"), "untrained": ("^", "#0072B2")}.items():
            if hasattr(row, null):
                name = None if place else f"shared: {null}"
                marker, colour = style
                axis.plot(
                    100 * getattr(row, null),
                    place - 0.2,
                    marker,
                    color=colour,
                    mfc="white",
                    label=name,
                )
    axis.set_yticks(range(len(rows)), labels=rows["relation"])
    axis.set_xlabel(f"shared, of a word's {size:g} neurons (%)")


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        numbers=snakemake.input.numbers,
        parts=snakemake.input.parts,
        **dict(snakemake.output.items()),
    )
