"""How well optima and other directions predict which words activate a neuron or a group.

Left: single neurons by layer. Right: groups by size (absolute selection, or the first). Points are
mean correlations over words that no direction was fitted on, and bars intervals. The gradient is
taken at the mean word embedding; ridge regression is the best linear explanation.
"""

from study.job import run
from textualization.report.alt_text import alt_text, course
from textualization.report.csv_tables import read_csv
from textualization.report.plotting import (
    COLOURS,
    MODEL,
    TWO_COLUMNS,
    FigureFiles,
    figure,
    label,
    shared_legend,
    size_axis,
    with_bars,
)

STYLES = {
    "ridge": {"color": "0.35", "marker": "_", "ls": ":"},
    "gradient": {"color": COLOURS[2], "marker": "^", "ls": "--"},
    "top_words": {"color": COLOURS[3], "marker": "D", "ls": "-."},
    "best_word": {"color": COLOURS[1], "marker": "s", "ls": "-."},
    "optimum": MODEL,
    "start": {"color": "0.55", "marker": ".", "ls": ":"},
}


def main(explanation, site, files: FigureFiles) -> None:
    table = read_csv(explanation)
    table = table[table["model"] == "model"]
    singles = table[
        (table["of"] == "singles") & (table["site"] == site) & (table["layer"] != "all")
    ]
    groups = table[table["of"] == "groups"]
    groups = groups[groups["selection"] == groups["selection"].min()]
    panels = [("layer", "single neurons: layer", singles), ("size", "groups: neurons", groups)]
    panels = [panel for panel in panels if len(panel[2])]
    shown = [name for name in STYLES if name in set(table["direction"])]
    alt = " ".join(
        alt_text(f"Explanation, {title}", [_course(rows, x, name) for name in shown])
        for x, title, rows in panels
    )
    with figure(files, TWO_COLUMNS, 2.6, columns=len(panels), alt=alt) as axes:
        axes = axes if len(panels) > 1 else [axes]
        for axis, (x, title, rows) in zip(axes, panels, strict=True):
            for name in shown:
                of = rows[rows["direction"] == name].astype({x: float}).sort_values(x)
                values = of[["explanation", "ci_low", "ci_high"]].set_axis(
                    ["value", "low", "high"], axis=1
                )
                with_bars(axis, values.assign(size=of[x]), label=label(name), **STYLES[name])
            axis.axhline(0, color="0.8", lw=0.6, zorder=0)
            axis.set(xlabel=title, ylim=(-0.1, 1), ylabel="explanation\n(correlation over words)")
        if len(groups):
            sizes = groups["size"].astype(int)
            size_axis(axes[-1], sizes.unique())
            axes[-1].set(xlim=(0.8 * sizes.min(), 1.25 * sizes.max()))
        shared_legend(axes)


def _course(rows, x, name) -> str:
    of = rows[rows["direction"] == name].astype({x: float}).sort_values(x)
    return course(label(name), of[x], of["explanation"])


if "snakemake" in globals():
    run(main, snakemake)
