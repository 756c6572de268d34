"""How much of an optimum's direction words explain; how close it runs to words through the layers."""

import pandas as pd

from running import run
from textualization.plotting import TWO_COLUMNS, figure

#: What a direction is of, or whose path: colour, marker, line.
STYLES = {
    ("model", "single"): {"color": "#000000", "marker": "o", "linestyle": "-"},
    ("model", "group"): {"color": "#D55E00", "marker": "s", "linestyle": "-"},
    ("permuted", "single"): {"color": "#0072B2", "marker": "o", "linestyle": ":"},
    ("permuted", "group"): {"color": "#56B4E9", "marker": "s", "linestyle": ":"},
    ("model", "like words"): {"color": "#009E73", "marker": "^", "linestyle": "--"},
    ("model", "random direction"): {"color": "0.6", "marker": "v", "linestyle": "--"},
}
PATHS = {
    ("single", "its nearest word"): {"color": "#000000", "marker": "o", "linestyle": "-"},
    ("group", "its nearest word"): {"color": "#D55E00", "marker": "s", "linestyle": "-"},
    ("group", "its own word"): {"color": "#CC79A7", "marker": "P", "linestyle": "--"},
    ("single", "a random word"): {"color": "0.6", "marker": "v", "linestyle": ":"},
    ("word", "its nearest word"): {"color": "#009E73", "marker": "^", "linestyle": "--"},
}


def main(parts, blocks, pdf, png) -> None:
    explained = pd.read_csv(next(path for path in parts if "explained" in path))
    paths = pd.read_csv(next(path for path in parts if "paths" in path), keep_default_na=False)
    first = blocks[0]
    explained = explained[explained["condition"].isna() | (explained["condition"] == first)]
    with figure(pdf, png, TWO_COLUMNS, 3.2, columns=2) as (left, right):
        for (null, of), style in STYLES.items():
            rows = explained[(explained["null"] == null) & (explained["of"] == of)]
            name = of if of not in ("single", "group") else f"{of}s, {null}"
            _line(left, rows, "words", "explained", 100, name, style)
        left.set_xscale("log")
        ticks = sorted(explained["words"].unique())
        left.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
        left.set_xticks([], minor=True)
        left.set(xlabel="words in the mixture", ylabel="share of the direction explained (%)")
        paths = paths[(paths["null"] == "model") & paths["condition"].isin(["", first])]
        for (of, other), style in PATHS.items():
            rows = paths[(paths["of"] == of) & (paths["other"] == other)]
            _line(right, rows, "layer", "cosine", 1, f"{of}: {other}", style)
        right.set(xlabel="layer (0: the input)", ylabel="cosine of hidden states")
        for axis in (left, right):
            axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=5.5)


def _line(axis, rows, x, y, scale, name, style) -> None:
    if not len(rows):
        return
    rows = rows.sort_values(x)
    bars = [
        scale * (rows[y] - rows["ci_low"]).clip(0),
        scale * (rows["ci_high"] - rows[y]).clip(0),
    ]
    axis.errorbar(
        rows[x], scale * rows[y], yerr=bars, elinewidth=0.5, capsize=1.5, ms=3, label=name, **style
    )


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        parts=snakemake.input.parts,
        blocks=snakemake.params.blocks,
        **dict(snakemake.output.items()),
    )
