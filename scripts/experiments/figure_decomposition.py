"""Optima as mixtures of words, and their hidden states compared with those of words.

Left: share of an optimum's direction that a mixture of words explains, against the number of words,
compared with a null model and with random directions. Right: cosine of the optima's hidden states
to those of words, by layer.
"""

from study.job import run
from textualization.report.alt_text import alt_text, course
from textualization.report.csv_tables import read_csv
from textualization.report.plotting import (
    COLOURS,
    KINDS,
    MODEL,
    NULLS,
    TWO_COLUMNS,
    FigureFiles,
    figure,
    legend_above,
)

#: Style of groups: like single neurons, with open squares.
GROUPS = {"marker": "s", "mfc": "white"}
#: Style by model or null, and by kind of direction.
STYLES = {
    ("model", "single"): MODEL,
    ("model", "group"): MODEL | GROUPS,
    ("permuted", "single"): NULLS["permuted"] | {"marker": "o"},
    ("permuted", "group"): NULLS["permuted"] | GROUPS,
    ("model", "like words"): NULLS["embedding_covariance"] | {"linestyle": "-."},
    ("model", "random direction"): NULLS["random_direction"],
}
NEAREST = {"color": KINDS["nearest_word"]["color"], "marker": "o", "linestyle": "-"}
#: Style by kind of input, and by the word that it is compared with.
PATHS = {
    ("single", "its nearest word"): NEAREST,
    ("group", "its nearest word"): NEAREST | GROUPS,
    ("group", "its own word"): MODEL | {"marker": "P", "linestyle": "--"},
    ("single", "a random word"): NULLS["random_word"],
    ("word", "its nearest word"): {"color": COLOURS[3], "marker": "^", "linestyle": "--"},
}


def main(explained, paths, blocks, files: FigureFiles) -> None:
    explained, paths = read_csv(explained), read_csv(paths)
    first = blocks[0]
    explained = explained[explained["condition"].isna() | (explained["condition"] == first)]
    mixtures, cosines = [], []
    for (null, of), style in STYLES.items():
        rows = explained[(explained["null"] == null) & (explained["of"] == of)].copy()
        rows[["explained", "ci_low", "ci_high"]] *= 100
        name = of if of not in ("single", "group") else f"{of}s, {null}"
        mixtures.append((name, rows, "words", "explained", style))
    paths = paths[paths["condition"].isna() | (paths["condition"] == first)]
    paths = paths[paths["null"] == "model"]
    for (of, other), style in PATHS.items():
        rows = paths[(paths["of"] == of) & (paths["other"] == other)]
        cosines.append((f"{of}: {other}", rows, "layer", "cosine", style))
    titles = ("Share of a direction that words explain", "Cosine of hidden states by layer")
    alt = " ".join(
        alt_text(title, [course(name, rows[x], rows[y], unit) for name, rows, x, y, _ in lines])
        for title, lines, unit in zip(titles, (mixtures, cosines), (" %", ""), strict=True)
    )
    with figure(files, TWO_COLUMNS, 3.2, columns=2, alt=alt) as (left, right):
        for axis, lines in ((left, mixtures), (right, cosines)):
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
    run(main, snakemake)
