"""Every single neuron's optimum beside the words: the table `singles.parquet`."""

import numpy as np
import pandas as pd

from optima import read_batches, read_embeddings
from running import run
from textualization.files import write_array, write_table
from textualization.similarity import nearest_words, utilisation


def main(
    optima,
    activations,
    summaries,
    words,
    weights,
    sites,
    convergence,
    collapse,
    table,
    embeddings,
    curves,
):
    facts, starts, found, ascent = read_batches(
        optima, ("index", "restart"), ("site", "layer", None), convergence, collapse
    )
    words = pd.read_parquet(words)
    names, candidates = words["word"].to_numpy(), words["candidate"].to_numpy()
    e = read_embeddings(weights)
    nearest, cosine = nearest_words(found, e, candidates)
    _, start_cosine = nearest_words(starts, e, candidates)
    neurons = pd.concat([pd.read_parquet(path) for path in summaries])
    neurons["best_word"] = names[neurons["top_words"].str[0].astype(int)]
    neurons["top_words"] = [" ".join(names[list(top)]) for top in neurons["top_words"]]
    neurons = neurons.rename(
        columns={"max": "best_word_activation", "mean_abs": "mean_word_activation"}
    ).drop(columns=["mean", "std", "top_activations"])
    facts = facts.merge(neurons, on=["site", "layer", "index"], how="left", validate="many_to_one")
    facts["largest_entries"] = [" ".join(names[list(ids)]) for ids in facts["largest_entries"]]
    facts["nearest_word"], facts["nearest_cosine"] = names[nearest], cosine
    facts["start_nearest_cosine"] = start_cosine
    facts["nearest_word_activation"] = np.nan
    for site, path in zip(sites, activations, strict=True):
        a, rows = np.load(path, mmap_mode="r"), facts["site"] == site
        here = facts[rows]
        facts.loc[rows, "nearest_word_activation"] = a[
            here["layer"].to_numpy() - 1, nearest[rows], here["index"].to_numpy()
        ]
    for kind in ("best_word", "mean_word", "nearest_word"):
        facts[f"utilisation_{kind}"] = utilisation(facts[f"{kind}_activation"], facts["activation"])
    first = [
        "site",
        "layer",
        "index",
        "restart",
        "activation",
        "ceiling",
        "converged",
        "collapsed",
        "finite",
        "dead",
        "taken",
    ]
    first += ["nearest_word", "nearest_cosine", "start_nearest_cosine", "best_word"]
    write_table(facts[first + [c for c in facts if c not in first]], table)
    write_array(found, embeddings)
    write_table(ascent, curves)


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        optima=snakemake.input.optima,
        activations=snakemake.input.activations,
        summaries=snakemake.input.summaries,
        words=snakemake.input.words,
        weights=snakemake.input.weights,
        sites=snakemake.params.sites,
        convergence=snakemake.params.convergence,
        collapse=snakemake.params.collapse,
        table=snakemake.output.table,
        embeddings=snakemake.output.embeddings,
        curves=snakemake.output.curves,
    )
