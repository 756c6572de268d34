"""How much of an optimum's direction words explain; how close it runs to words through the layers."""

import pandas as pd

from running import run
from textualization.describing import course, told
from textualization.plotting import COLOURS, KINDS, MODEL, NULLS, TWO_COLUMNS, figure, legend_above

#: Groups are drawn like single neurons, with open squares.
GROUPS = {"marker": "s", "mfc": "white"}
#: Whose direction (model or null, and what of it): colour, marker, line.
STYLES = {
    ("model", "single"): MODEL,
    ("model", "group"): MODEL | GROUPS,
    ("permuted", "single"): NULLS["permuted"] | {"marker": "o"},
    ("permuted", "group"): NULLS["permuted"] | GROUPS,
    ("model", "like words"): NULLS["embedding_covariance"] | {"linestyle": "-."},
    ("model", "random direction"): NULLS["random_direction"],
}
NEAREST = {"color": KINDS["nearest_word"]["color"], "marker": "o", "linestyle": "-"}
#: Whose path, beside which word's.
PATHS = {
    ("single", "its nearest word"): NEAREST,
    ("group", "its nearest word"): NEAREST | GROUPS,
    ("group", "its own word"): MODEL | {"marker": "P", "linestyle": "--"},
    ("single", "a random word"): NULLS["random_word"],
    ("word", "its nearest word"): {"color": COLOURS[3], "marker": "^", "linestyle": "--"},
}


def main(parts, blocks, pdf, png, txt) -> None:
    explained = pd.read_csv(next(path for path in parts if "explained" in path))
    paths = pd.read_csv(next(path for path in parts if "paths" in path), keep_default_na=False)
    first = blocks[0]
    explained = explained[explained["condition"].isna() | (explained["condition"] == first)]
    mixtures, beside = [], []
    for (null, of), style in STYLES.items():
        rows = explained[(explained["null"] == null) & (explained["of"] == of)].copy()
        rows[["explained", "ci_low", "ci_high"]] *= 100
        name = of if of not in ("single", "group") else f"{of}s, {null}"
        mixtures.append((name, rows, "words", "explained", style))
    paths = paths[(paths["null"] == "model") & paths["condition"].isin(["", first])]
    for (of, other), style in PATHS.items():
        rows = paths[(paths["of"] == of) & (paths["other"] == other)]
        beside.append((f"{of}: {other}", rows, "layer", "cosine", style))
    titles = ("Share of a direction that so many words explain", "Cosine of hidden states by layer")
    alt = " ".join(
        told(title, [course(name, rows[x], rows[y], unit) for name, rows, x, y, _ in lines])
        for title, lines, unit in zip(titles, (mixtures, beside), (" %", ""), strict=True)
    )
    with figure(pdf, png, txt, TWO_COLUMNS, 3.2, columns=2, alt=alt) as (left, right):
        for axis, lines in ((left, mixtures), (right, beside)):
            for line in lines:
                _line(axis, *line)
            legend_above(axis, 2, fontsize=5.5)
        left.set_xscale("log")
        ticks = sorted(explained["words"].unique())
        left.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
        left.set_xticks([], minor=True)
        left.set(xlabel="words in the mixture", ylabel="share of the direction explained (%)")
        right.set(xlabel="layer (0: the input)", ylabel="cosine of hidden states")


def _line(axis, name, rows, x, y, style) -> None:
    if not len(rows):
        return
    rows = rows.sort_values(x)
    bars = [(rows[y] - rows["ci_low"]).clip(0), (rows["ci_high"] - rows[y]).clip(0)]
    axis.errorbar(
        rows[x], rows[y], yerr=bars, elinewidth=0.5, capsize=1.5, ms=3, label=name, **style
    )


if "snakemake" in globals():
    run(
        main,
        snakemake,
        parts=snakemake.input.parts,
        blocks=snakemake.params.blocks,
        **dict(snakemake.output.items()),
    )
