"""Models side by side: recovery of the words that all have, thresholds, and excesses over own nulls."""

import pandas as pd

from running import run
from textualization.describing import course, interval, told
from textualization.plotting import (
    MODELS,
    NULLS,
    SELECTIONS,
    TWO_COLUMNS,
    figure,
    label,
    marked,
    shared_legend,
    with_bars,
)


def main(numbers, models, level, pdf, png, txt) -> None:
    numbers = pd.read_csv(numbers)
    height = 2.2 + 0.13 * len(models)
    alt = " ".join((_recovery_told(numbers), _points_told(numbers, level)))
    with figure(pdf, png, txt, TWO_COLUMNS, height, columns=3, alt=alt) as axes:
        _recovery(axes[0], numbers, models)
        _thresholds(axes[1], numbers, models, level)
        _excesses(axes[2], numbers, models)
        for axis in axes[1:]:
            axis.set_ylim(len(models) - 0.5, -0.5)
            axis.set_yticks(range(len(models)), labels=models if axis is axes[1] else [])
        shared_legend(axes)


def _matched(numbers) -> pd.DataFrame:
    """Recovery (%) of the matched words by size, for the first of the selections; may be empty."""
    found = numbers[numbers["quantity"].str.startswith("matched.recovery.")].copy()
    if len(found):
        found[["selection", "size"]] = found["quantity"].str.split(".", expand=True)[[2, 3]]
        found = found[found["selection"] == found["selection"].iloc[0]].astype({"size": int})
        found[["value", "low", "high"]] *= 100
    return found


def _reached(numbers, level) -> pd.DataFrame:
    """Thresholds of the matched words at a level (%)."""
    chosen = numbers["quantity"].str.startswith("matched.threshold.")
    chosen &= numbers["quantity"].str.endswith(f".{level}")
    return numbers[chosen].assign(selection=numbers["quantity"].str.split(".").str[2])


def _recovery_told(numbers) -> str:
    found = _matched(numbers)
    facts = [
        course(model, rows["size"], rows["value"], " %")
        for model, rows in found.groupby("model", sort=False)
    ]
    return told("Recovery of the words that all models have, against group size (neurons)", facts)


def _points_told(numbers, level) -> str:
    reached = [
        interval(
            f"{row.model}, {label(row.selection)}",
            100 * row.share, 100 * row.share_low, 100 * row.share_high, " %",
        )
        for row in _reached(numbers, level).itertuples()
    ]  # fmt: skip
    found = numbers[numbers["quantity"] == "single.nearest_cosine"]
    excesses = [
        interval(
            f"{row['model']} over {label(null)}",
            *(row[f"{null}_{name}"] for name in ("excess", "excess_low", "excess_high")),
        )
        for row in found.to_dict("records")
        for null in NULLS
        if f"{null}_excess" in row
    ]
    middle = told(f"Share of the model's neurons at which {level} % of words come back", reached)
    return f"{middle} {told('Excess of the cosine to the nearest word', excesses)}"


def _recovery(axis, numbers, models) -> None:
    """Curves over the matched words, for the first of the selections."""
    found = _matched(numbers)
    axis.set(xscale="log", xlabel="group size (neurons)", ylabel="recovery (% of words)")
    axis.set_ylim(-3, 104)
    if not len(found):
        return
    for model, style in zip(models, _styles(models), strict=True):
        with_bars(axis, found[found["model"] == model], label=model, **style)
    sizes = sorted(found["size"].unique())
    axis.set_xticks(sizes, labels=[f"{size:g}" for size in sizes], rotation=45)
    axis.set_xticks([], minor=True)
    axis.set_title(f"{label(found['selection'].iloc[0])} selection,\nwords that all models have")


def _thresholds(axis, numbers, models, level) -> None:
    """Group sizes as a share of all neurons; what is not reached has no point."""
    found = _reached(numbers, level)
    for place, (selection, rows) in enumerate(found.groupby("selection", sort=False)):
        style = marked(SELECTIONS[selection])
        y = [models.index(model) - 0.12 + 0.24 * place for model in rows["model"]]
        _points(axis, 100 * rows[["share", "share_low", "share_high"]], y, style, label(selection))
    axis.set(xscale="log", xlabel="neurons (% of the model's)")
    axis.set_title(f"{level} % of words recovered")
    for which in (axis.xaxis.set_major_formatter, axis.xaxis.set_minor_formatter):
        which("{x:g}")
    axis.tick_params(axis="x", which="both", rotation=45)
    never = found.loc[found["value"].isna(), "model"]
    if len(never):
        y, edge = [models.index(model) for model in never], axis.get_yaxis_transform()
        style = {"color": "0.6", "mfc": "white", "ms": 3.5, "ls": "none", "marker": ">"}
        axis.plot([0.97] * len(y), y, transform=edge, label="not reached", **style)


def _excesses(axis, numbers, models) -> None:
    """Of the nearest word's cosine, over each model's own null models."""
    found = numbers[numbers["quantity"] == "single.nearest_cosine"]
    shown = [null for null in NULLS if f"{null}_excess" in found]
    for place, null in enumerate(shown):
        style = marked(NULLS[null])
        offset = 0.5 * ((place + 0.5) / len(shown) - 0.5)
        y = [models.index(model) + offset for model in found["model"]]
        columns = [f"{null}_{name}" for name in ("excess", "excess_low", "excess_high")]
        _points(axis, found[columns], y, style, f"excess over {label(null)}")
    axis.axvline(0, color="0.6", lw=0.7, zorder=0)
    axis.set(xlabel="excess (cosine)", title="nearest word's cosine\nbeside own null models")


def _points(axis, rows, y, style, name) -> None:
    """Values with their intervals, cut at the axis where an end is not finite."""
    value, low, high = (rows[column].to_numpy(dtype=float) for column in rows)
    axis.plot(value, y, ls="none", ms=3.5, label=name, **style)
    for at, left, right in zip(y, low, high, strict=True):
        axis.plot([left, right], [at, at], color=style["color"], lw=0.9)


def _styles(models) -> list[dict]:
    return [MODELS[place % len(MODELS)] for place in range(len(models))]


if "snakemake" in globals():
    run(
        main,
        snakemake,
        numbers=snakemake.input.numbers,
        **dict(snakemake.params.items()),
        **dict(snakemake.output.items()),
    )
