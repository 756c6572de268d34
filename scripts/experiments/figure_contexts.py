"""What the optima of contexts are nearest to, and whether two senses or forms have separate optima.

Left: share of optima that are nearest to their context, to one of its own words, or to another
word. Right: how much nearer an optimum is to its own sentences than to those of the other sense or
form, in the model (filled) and in null models (open).
"""

from study.job import run
from textualization.report.alt_text import alt_text, interval, number
from textualization.report.csv_tables import read_csv
from textualization.report.plotting import (
    MODEL,
    NULLS,
    TWO_COLUMNS,
    FigureFiles,
    figure,
    label,
    legend_above,
    marked,
)

#: Shades and hatches that are distinct in grey.
SHADES = {"context": ("0.15", ""), "own_word": ("0.55", "///"), "another_word": ("0.9", "")}
#: The model and its null models: offset from the line, and style.
MARKS = {
    "model": (0.2, marked(MODEL)),
    "permuted": (0.0, marked(NULLS["permuted"])),
    "untrained": (-0.2, marked(NULLS["untrained"])),
}


def main(nearest, senses, files: FigureFiles) -> None:
    nearest, senses = _named(read_csv(nearest)), _named(read_csv(senses))
    nearest = nearest[nearest["null"] == "model"]
    height, alt = max(3.4, 1.1 + 0.2 * len(nearest)), _alt_text(nearest, senses)
    with figure(files, TWO_COLUMNS, height, columns=2, alt=alt) as axes:
        _nearest(axes[0], nearest)
        _apart(axes[1], senses)


def _named(table):
    """Add the name of every row's `line`: kind, condition and, if there are several, group size."""
    several = table["size"].nunique() > 1
    lines = [
        f"{kind}: {label(condition)}{f', {size:g}' if several else ''}"
        for kind, condition, size in table[["kind", "condition", "size"]].itertuples(index=False)
    ]
    return table.assign(line=lines)


def _alt_text(nearest, senses) -> str:
    left = []
    for row in nearest.to_dict("records"):
        shares = ", ".join(f"{label(what)} {number(100 * row[what], ' %')}" for what in SHADES)
        left.append(f"{row['line'].replace(':', ',')}: {shares}")
    right = [
        interval(
            f"{row.line.replace(':', ',')}, {row.null}",
            row.own_less_other, row.own_less_other_low, row.own_less_other_high,
        )
        for row in senses[senses["null"].isin(list(MARKS))].itertuples()
    ]  # fmt: skip
    left = alt_text("What optima of contexts are nearest to, shares of contexts", left)
    return f"{left} {alt_text('Cosine to own sentences minus cosine to the other label', right)}"


def _nearest(axis, rows) -> None:
    rows = rows.sort_values(["kind", "condition", "size"], ascending=False, kind="stable")
    start = 0
    for what, (shade, hatch) in SHADES.items():
        values = 100 * rows[what].to_numpy()
        style = {"color": shade, "hatch": hatch, "edgecolor": "white"}
        axis.barh(rows["line"], values, left=start, label=label(what), **style)
        start = start + values
    axis.set(xlabel="optimum nearest to … (% of contexts)", xlim=(0, 100))
    legend_above(axis, 3)


def _apart(axis, senses) -> None:
    """Draw how much nearer optima are to their own sentences than to the other label's."""
    lines = list(senses["line"].unique())[::-1]
    for null, (shift, style) in MARKS.items():
        rows = senses[senses["null"] == null].set_index("line")
        for place, line in enumerate(lines):
            if line not in rows.index:
                continue
            row, y = rows.loc[line], place + shift
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
    axis.set_yticks(range(len(lines)), labels=lines)
    axis.set_xlabel("cosine to own sentences\nminus cosine to the other label's")
    legend_above(axis, 3)


if "snakemake" in globals():
    run(main, snakemake)
