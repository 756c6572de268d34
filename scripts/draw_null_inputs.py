"""What stands in an optimum's place: random words, random directions, directions spread like the words.

One of each for every single neuron that the study looked at, in every draw.
"""

import numpy as np
import pandas as pd

from optima import read_embeddings
from running import run
from textualization.files import write_table
from textualization.similarity import like_words, nearest_words, target_similarity
from textualization.starts import generator


def main(singles, activations, candidates, weights, sites, inputs, draws, seed, table) -> None:
    neurons = pd.read_parquet(singles).drop_duplicates(["site", "layer", "index"])
    neurons = neurons[["site", "layer", "index"]].reset_index(drop=True)
    counted = pd.read_parquet(candidates)["candidate"].to_numpy()
    e = read_embeddings(weights)
    matrices = {s: np.load(p, mmap_mode="r") for s, p in zip(sites, activations, strict=True)}
    tables = []
    for draw in range(draws):
        for name in inputs:
            dice, found = generator(seed, "null input", name, draw), neurons.copy()
            if name == "random_word":
                ids = dice.choice(np.flatnonzero(counted), len(neurons))
                similar = target_similarity(e[ids], ids, e, counted)
                # Its nearest word is itself; the next one counts.
                found["nearest_cosine"] = similar["target_cosine"] - similar["margin"]
                rows = zip(neurons["site"], neurons["layer"], ids, neurons["index"], strict=True)
                found["activation"] = [matrices[s][la - 1, w, i] for s, la, w, i in rows]
            else:
                vectors = dice.standard_normal((len(neurons), e.shape[1]))
                if name == "embedding_covariance":
                    vectors = like_words(vectors, e[counted])
                found["nearest_cosine"] = nearest_words(vectors, e, counted)[1]
            tables.append(found.assign(null=name, draw=draw))
    columns = ["null", "draw", "site", "layer", "index", "nearest_cosine", "activation"]
    found = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    write_table(found.reindex(columns=columns), table)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        singles=snakemake.input.singles,
        activations=snakemake.input.activations,
        candidates=snakemake.input.candidates,
        weights=snakemake.input.weights,
        **dict(snakemake.params.items()),
        table=snakemake.output[0],
    )
