"""Every single neuron's optimum beside the words: the table `singles.parquet`."""

import numpy as np
import pandas as pd

from optima import in_order, read_batches, read_embeddings, singles_beside_words
from running import run
from textualization.files import write_array, write_table


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
    matrices = {s: np.load(p, mmap_mode="r") for s, p in zip(sites, activations, strict=True)}

    def excite(facts, word):
        rows = zip(facts["site"], facts["layer"], word, facts["index"], strict=True)
        return [matrices[site][layer - 1, id, index] for site, layer, id, index in rows]

    facts = singles_beside_words(
        facts,
        starts,
        found,
        read_embeddings(weights),
        pd.read_parquet(words),
        pd.concat([pd.read_parquet(path) for path in summaries]),
        excite,
    )
    first = "site layer index restart activation ceiling converged collapsed finite dead taken "
    first += "nearest_word nearest_cosine start_nearest_cosine best_word"
    write_table(in_order(facts, first), table)
    write_array(found, embeddings)
    write_table(ascent, curves)


if "snakemake" in globals():
    run(
        main,
        snakemake,
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
