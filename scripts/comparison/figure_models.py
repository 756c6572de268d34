"""Models compared: recovery, group sizes, and excess over null models.

Left: recovery of the words that all models have, against group size (in per cent of the model's neurons
where the settings give sizes as shares). Middle: group size at which recovery reaches the rate above the
panel, as a share of the model's neurons. Right: excess of the cosine to the nearest word over each
model's own null models. Bars are intervals.
"""

import pandas as pd
from matplotlib.ticker import LogLocator

from study.job import run
from textualization.report.alt_text import alt_text, course, interval
from textualization.report.csv_tables import read_csv
from textualization.report.plotting import (
    MODELS,
    SELECTIONS,
    TWO_COLUMNS,
    FigureFiles,
    figure,
    label,
    marked,
    null_styles,
    shared_legend,
    with_bars,
)


def main(numbers, models, level, files: FigureFiles) -> None:
    numbers = read_csv(numbers)
    height = 2.2 + 0.13 * len(models)
    alt = " ".join((_recovery_alt_text(numbers), _points_alt_text(numbers, level)))
    with figure(files, TWO_COLUMNS, height, columns=3, alt=alt) as axes:
        _recovery(axes[0], numbers, models)
        _thresholds(axes[1], numbers, models, level)
        _excesses(axes[2], numbers, models)
        for axis in axes[1:]:
            axis.set_ylim(len(models) - 0.5, -0.5)
            axis.set_yticks(range(len(models)), labels=models if axis is axes[1] else [])
        shared_legend(axes)


def _matched(numbers) -> pd.DataFrame:
    """Return recovery (%) of the matched words by `size`, for the first selection; may be empty.

    `unit` of a size: neurons, or the per cent of a model's neurons where there are such groups.
    """
    found = numbers[numbers["quantity"].str.startswith("matched.recovery.")].copy()
    if len(found):
        parts = found["quantity"].str.split(".", n=3, expand=True)
        found["selection"], sizes = parts[2], parts[3]
        shares = sizes.str.endswith("%")
        found["size"] = sizes.str.removesuffix("%").astype(float)
        found["unit"] = "% of the model's neurons" if shares.any() else "neurons"
        found = found[shares] if shares.any() else found
        found = found[found["selection"] == found["selection"].iloc[0]]
        found[["value", "low", "high"]] *= 100
    return found


def _reached(numbers, level) -> pd.DataFrame:
    """Return thresholds of the matched words at a level (%)."""
    chosen = numbers["quantity"].str.startswith("matched.threshold.")
    chosen &= numbers["quantity"].str.endswith(f".{level}")
    return numbers[chosen].assign(selection=numbers["quantity"].str.split(".").str[2])


def _recovery_alt_text(numbers) -> str:
    found = _matched(numbers)
    facts = [
        course(model, rows["size"], rows["value"], " %")
        for model, rows in found.groupby("model", sort=False)
    ]
    unit = found["unit"].iloc[0] if len(found) else "neurons"
    return alt_text(
        f"Recovery of the words that all models have, against group size ({unit})", facts
    )


def _points_alt_text(numbers, level) -> str:
    reached = [
        interval(
            f"{row.model}, {label(row.selection)}",
            100 * row.share, 100 * row.share_low, 100 * row.share_high, " %",
        )
        for row in _reached(numbers, level).itertuples()
    ]  # fmt: skip
    found = numbers[numbers["quantity"] == "single.nearest_cosine"]
    nulls = _null_models(found)
    excesses = [
        interval(
            f"{row['model']} over {label(null)}",
            *(row[f"{null}_{name}"] for name in ("excess", "excess_low", "excess_high")),
        )
        for row in found.to_dict("records")
        for null in nulls
    ]
    middle = alt_text(
        f"Share of the model's neurons at which {level} % of words are recovered", reached
    )
    return f"{middle} {alt_text('Excess of the cosine to the nearest word', excesses)}"


def _recovery(axis, numbers, models) -> None:
    """Draw recovery of the matched words, for the first selection."""
    found = _matched(numbers)
    axis.set(xscale="log", xlabel="group size (neurons)", ylabel="recovery (% of words)")
    axis.set_ylim(-3, 104)
    if not len(found):
        return
    axis.set_xlabel(f"group size ({found['unit'].iloc[0]})")
    for model, style in zip(models, _styles(models), strict=True):
        with_bars(axis, found[found["model"] == model], label=model, **style)
    sizes = sorted(found["size"].unique())
    axis.set_xticks(sizes, labels=[f"{size:g}" for size in sizes], rotation=45)
    axis.set_xticks([], minor=True)
    axis.set_title(f"{label(found['selection'].iloc[0])} selection,\nwords that all models have")


def _thresholds(axis, numbers, models, level) -> None:
    """Draw group sizes as a share of all neurons; mark models that do not reach the level."""
    found = _reached(numbers, level)
    for place, (selection, rows) in enumerate(found.groupby("selection", sort=False)):
        style = marked(SELECTIONS[selection])
        y = [models.index(model) - 0.12 + 0.24 * place for model in rows["model"]]
        _points(axis, 100 * rows[["share", "share_low", "share_high"]], y, style, label(selection))
    axis.set(xscale="log", xlabel="neurons (% of the model's)")
    axis.set_title(f"{level} % of words recovered")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.set_xticks([], minor=True)
    never = found.loc[found["value"].isna(), "model"]
    if len(never):
        y, edge = [models.index(model) for model in never], axis.get_yaxis_transform()
        style = {"color": "0.6", "mfc": "white", "ms": 3.5, "ls": "none", "marker": ">"}
        axis.plot([0.97] * len(y), y, transform=edge, label="not reached", **style)


def _null_models(numbers) -> dict[str, dict]:
    """Return the styles of the null models that the numbers are compared with."""
    suffix = "_excess"
    return null_styles(c.removesuffix(suffix) for c in numbers if c.endswith(suffix))


def _excesses(axis, numbers, models) -> None:
    """Draw the excess of the nearest word's cosine over each model's own null models."""
    found = numbers[numbers["quantity"] == "single.nearest_cosine"]
    shown = _null_models(found)
    for place, (null, style) in enumerate(shown.items()):
        offset = 0.5 * ((place + 0.5) / len(shown) - 0.5)
        y = [models.index(model) + offset for model in found["model"]]
        columns = [f"{null}_{name}" for name in ("excess", "excess_low", "excess_high")]
        _points(axis, found[columns], y, marked(style), f"excess over {label(null)}")
    axis.axvline(0, color="0.6", lw=0.7, zorder=0)
    axis.set(xlabel="excess (cosine)", title="nearest word's cosine\nagainst own null models")


def _points(axis, rows, y, style, name) -> None:
    """Draw values with their intervals; an end that is not finite is cut at the axis."""
    value, low, high = (rows[column].to_numpy(dtype=float) for column in rows)
    axis.plot(value, y, ls="none", ms=3.5, label=name, **style)
    for at, left, right in zip(y, low, high, strict=True):
        axis.plot([left, right], [at, at], color=style["color"], lw=0.9)


def _styles(models) -> list[dict]:
    return [MODELS[place % len(MODELS)] for place in range(len(models))]


if "snakemake" in globals():
    run(main, snakemake)
