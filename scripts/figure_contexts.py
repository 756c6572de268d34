"""To what the optima of contexts are nearest, and whether senses and forms lead apart."""

import pandas as pd

from running import run
from textualization.plotting import TWO_COLUMNS, figure, label

#: Shades that stay apart in grey, and hatches.
SHADES = {"context": ("0.15", ""), "own_word": ("0.55", "///"), "another_word": ("0.9", "")}
MARKS = {"model": ("o", "black"), "permuted": ("s", "#D55E00"), "untrained": ("^", "#0072B2")}


def main(parts, pdf, png) -> None:
    nearest = pd.read_csv(next(path for path in parts if "nearest" in path))
    senses = pd.read_csv(next(path for path in parts if "senses" in path))
    with figure(pdf, png, TWO_COLUMNS, 3.4, columns=2) as (left, right):
        _nearest(left, nearest[nearest["null"] == "model"])
        _apart(right, senses)


def _nearest(axis, rows) -> None:
    rows = rows.sort_values(["kind", "condition"], ascending=False, kind="stable")
    names = [
        f"{kind}: {label(condition)}" for kind, condition in rows[["kind", "condition"]].to_numpy()
    ]
    start = 0
    for what, (shade, hatch) in SHADES.items():
        values = 100 * rows[what].to_numpy()
        told = label(what)
        axis.barh(
            names, values, left=start, color=shade, hatch=hatch, edgecolor="white", label=told
        )
        start = start + values
    axis.set(xlabel="optimum nearest to … (% of contexts)", xlim=(0, 100))
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)


def _apart(axis, senses) -> None:
    """By how much an optimum lies nearer its own sentences than those of the other label."""
    keys = list(senses.groupby(["kind", "condition"], sort=False).groups)[::-1]
    for null, (marker, colour) in MARKS.items():
        rows = senses[senses["null"] == null].set_index(["kind", "condition"])
        shift = {"model": 0.2, "permuted": 0.0, "untrained": -0.2}[null]
        for place, key in enumerate(keys):
            if key not in rows.index:
                continue
            row, y = rows.loc[key], place + shift
            axis.plot(
                [row["own_less_other_low"], row["own_less_other_high"]],
                [y, y],
                color=colour,
                lw=0.7,
            )
            fill = colour if null == "model" else "white"
            name = null if place == 0 else None
            axis.plot(row["own_less_other"], y, marker, color=colour, mfc=fill, label=name)
    axis.axvline(0, color="0.6", lw=0.7, zorder=0)
    axis.set_yticks(range(len(keys)), labels=[f"{kind}: {label(c)}" for kind, c in keys])
    axis.set_xlabel("cosine to the own sentences\nless that to the other label's")
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        parts=snakemake.input.parts,
        **dict(snakemake.output.items()),
    )
