"""To what the optima of contexts are nearest, and whether senses and forms lead apart."""

import pandas as pd

from running import run
from textualization.describing import interval, number, told
from textualization.plotting import MODEL, NULLS, TWO_COLUMNS, figure, label, legend_above, marked

#: Shades that stay apart in grey, and hatches.
SHADES = {"context": ("0.15", ""), "own_word": ("0.55", "///"), "another_word": ("0.9", "")}
#: The model and its null models: how far each is drawn from its line, and how.
MARKS = {
    "model": (0.2, marked(MODEL)),
    "permuted": (0.0, marked(NULLS["permuted"])),
    "untrained": (-0.2, marked(NULLS["untrained"])),
}


def main(parts, pdf, png, txt) -> None:
    nearest = pd.read_csv(next(path for path in parts if "nearest" in path))
    senses = pd.read_csv(next(path for path in parts if "senses" in path))
    alt = _told(nearest[nearest["null"] == "model"], senses)
    with figure(pdf, png, txt, TWO_COLUMNS, 3.4, columns=2, alt=alt) as (left, right):
        _nearest(left, nearest[nearest["null"] == "model"])
        _apart(right, senses)


def _told(nearest, senses) -> str:
    left = []
    for row in nearest.to_dict("records"):
        shares = ", ".join(f"{label(what)} {number(100 * row[what], ' %')}" for what in SHADES)
        left.append(f"{row['kind']}, {label(row['condition'])}: {shares}")
    right = [
        interval(
            f"{row.kind}, {label(row.condition)}, {row.null}",
            row.own_less_other, row.own_less_other_low, row.own_less_other_high,
        )
        for row in senses[senses["null"].isin(list(MARKS))].itertuples()
    ]  # fmt: skip
    left = told("To what optima of contexts are nearest, shares of contexts", left)
    return f"{left} {told('Cosine to the own sentences less that to the other label', right)}"


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
    legend_above(axis, 3)


def _apart(axis, senses) -> None:
    """By how much an optimum lies nearer its own sentences than those of the other label."""
    keys = list(senses.groupby(["kind", "condition"], sort=False).groups)[::-1]
    for null, (shift, style) in MARKS.items():
        rows = senses[senses["null"] == null].set_index(["kind", "condition"])
        for place, key in enumerate(keys):
            if key not in rows.index:
                continue
            row, y = rows.loc[key], place + shift
            axis.plot(
                [row["own_less_other_low"], row["own_less_other_high"]],
                [y, y],
                color=style["color"],
                lw=0.7,
            )
            fill = style["color"] if null == "model" else "white"
            name = null if place == 0 else None
            axis.plot(row["own_less_other"], y, ls="none", mfc=fill, label=name, **style)
    axis.axvline(0, color="0.6", lw=0.7, zorder=0)
    axis.set_yticks(range(len(keys)), labels=[f"{kind}: {label(c)}" for kind, c in keys])
    axis.set_xlabel("cosine to the own sentences\nless that to the other label's")
    legend_above(axis, 3)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        parts=snakemake.input.parts,
        **dict(snakemake.output.items()),
    )
