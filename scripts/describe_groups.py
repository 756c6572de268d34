"""Every group's optimum beside its target word: the table `groups.parquet`."""

from pathlib import Path

import numpy as np
import pandas as pd

from optima import groups_beside_words, in_order, read_batches, read_embeddings
from running import run
from textualization.files import write_array, write_table
from textualization.words import group_activations

#: Groups whose activation over all words is held in memory at once.
GROUPS_AT_ONCE = 32


def main(
    optima,
    rankings,
    activations,
    words,
    weights,
    sites,
    convergence,
    collapse,
    shown,
    table,
    embeddings,
    curves,
):
    facts, starts, found, ascent = read_batches(
        optima,
        ("size", "target", "scope_layer", "restart"),
        ("selection", "scope", None, None),
        convergence,
        collapse,
    )
    words = pd.read_parquet(words)

    def excite(facts, target, nearest):
        return _word_activations(facts, target, nearest, rankings, sites, activations, words)

    facts = groups_beside_words(
        facts, starts, found, read_embeddings(weights), words, shown, excite
    )
    first = "word selection scope scope_layer size restart activation word_activation nearest_word "
    first += "nearest_cosine target_cosine target_rank margin recovered"
    write_table(in_order(facts, first), table)
    write_array(found, embeddings)
    write_table(ascent, curves)


def _word_activations(facts, target, nearest, rankings, sites, activations, words) -> pd.DataFrame:
    """What the target, the nearest word, the best word and words on average do to each group."""
    matrices = {s: np.load(p, mmap_mode="r") for s, p in zip(sites, activations, strict=True)}
    candidates = np.flatnonzero(words["candidate"])
    kinds = ["word_activation", "nearest_word_activation", "best_word_activation"]
    kinds += ["mean_word_activation"]
    best_word = np.empty(len(facts), dtype=object)
    found = np.empty((len(facts), len(kinds)))
    for path in rankings:
        ranking = pd.read_parquet(path)
        ranking["group"] = ranking.groupby(["word", "scope_layer"], observed=True).ngroup()
        selection, scope = Path(path).stem.split("-")
        chosen = (facts["selection"] == selection) & (facts["scope"] == scope)
        sizes = np.sort(facts["size"][chosen].unique())
        # Some words at a time: (V, groups, sizes) would not fit for a long word list.
        for first in range(0, ranking["group"].max() + 1, GROUPS_AT_ONCE):
            part = ranking[ranking["group"].between(first, first + GROUPS_AT_ONCE - 1)]
            part = part.assign(group=part["group"] - first)
            means = group_activations(matrices, part, sizes)
            keys = part.drop_duplicates("group")[["word", "scope_layer", "group"]]
            rows = facts[chosen].reset_index().merge(keys, on=["word", "scope_layer"])
            at, group = rows["index"].to_numpy(), rows["group"].to_numpy()
            size = np.searchsorted(sizes, rows["size"])
            best = candidates[means[candidates].argmax(axis=0)]
            average = np.abs(means[candidates]).mean(axis=0)
            best_word[at] = words["word"].to_numpy()[best[group, size]]
            found[at, 0] = means[target[at], group, size]
            found[at, 1] = means[nearest[at], group, size]
            found[at, 2] = means[best[group, size], group, size]
            found[at, 3] = average[group, size]
    return pd.DataFrame(found, columns=kinds, index=facts.index).assign(best_word=best_word)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        optima=snakemake.input.optima,
        rankings=snakemake.input.rankings,
        activations=snakemake.input.activations,
        words=snakemake.input.words,
        weights=snakemake.input.weights,
        sites=snakemake.params.sites,
        convergence=snakemake.params.convergence,
        collapse=snakemake.params.collapse,
        shown=snakemake.params.shown,
        table=snakemake.output.table,
        embeddings=snakemake.output.embeddings,
        curves=snakemake.output.curves,
    )
