"""Optima among the word embeddings.

Left: optima and words, all scaled to unit length, on the words' first two principal directions.
Right: share of the squared length that lies in the words' leading directions (boxes: quartiles;
whiskers: 1.5 interquartile ranges).
"""

import numpy as np
import pandas as pd

from study.job import run
from study.results import read_embeddings
from textualization.analysis.similarity import leading_subspace, share_in_subspace, unit
from textualization.report.alt_text import alt_text, spread
from textualization.report.plotting import COLOURS, TWO_COLUMNS, FigureFiles, figure, legend_above


def main(
    weights, words, singles, groups, group_table, directions, seed, files: FigureFiles
) -> None:
    candidates = pd.read_parquet(words)["candidate"].to_numpy()
    embeddings = read_embeddings(weights)[candidates]
    mean, leading = leading_subspace(embeddings, directions)
    sizes = pd.read_parquet(group_table)["size"].to_numpy()
    groups, chosen = np.load(groups), np.unique(sizes)
    # The shares of random directions and of the words themselves are the two ends of the scale.
    random = np.random.default_rng(seed).standard_normal((1000, embeddings.shape[1]))
    clouds = {
        "words": embeddings,
        "random\ndirections": random,
        "single\nneurons": np.load(singles),
    }
    clouds |= {f"groups\nof {size}": groups[sizes == size] for size in (chosen[0], chosen[-1])}
    shares = {
        name.replace("\n", " "): 100 * share_in_subspace(vectors, mean, leading)
        for name, vectors in clouds.items()
    }
    alt = "Left: optima among the word embeddings on the words' first two principal directions. "
    title = f"Right: share of squared length in the words' {len(leading)} leading directions"
    alt += alt_text(title, [spread(name, values, " %") for name, values in shares.items()])
    with figure(files, TWO_COLUMNS, 2.7, columns=2, alt=alt) as (left, right):
        shown = [("words", ".", "0.8", 1), ("single\nneurons", "x", COLOURS[1], 10)]
        shown += [(f"groups\nof {chosen[-1]}", "^", COLOURS[2], 10)]
        for name, marker, colour, size in shown:
            x, y = ((unit(clouds[name]) - mean) @ leading[:2].T).T
            left.scatter(
                x,
                y,
                s=size,
                marker=marker,
                color=colour,
                linewidths=0.7,
                rasterized=True,
                label=name.replace("\n", " "),
            )
        left.set(xlabel="first principal direction of words", ylabel="second")
        legend_above(left, 3, markerscale=1.5, handletextpad=0.1)
        right.boxplot(
            list(shares.values()),
            tick_labels=list(clouds),
            showfliers=False,
            widths=0.6,
            medianprops={"color": "black"},
        )
        right.tick_params(axis="x", labelsize=6)
        right.set(
            ylabel=f"share of length in the words'\n{len(leading)} leading directions (%)",
            ylim=(0, None),
        )


if "snakemake" in globals():
    run(main, snakemake)
