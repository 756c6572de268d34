"""Draw random inputs as nulls of optima: words, directions, directions with the words' covariance.

Every replicate has one of each kind for every single neuron of the study.
"""

import numpy as np
import pandas as pd

from study.job import run
from study.results import read_embeddings, read_matrices
from study.stored_activations import Explained, neuron_explanations
from textualization.analysis.explanation import MEASURES
from textualization.analysis.similarity import like_words, nearest_words, target_similarity
from textualization.draws import generator
from textualization.files import write_table


def main(singles, activations, candidates, weights, sites, inputs, replicates, seed, table) -> None:
    neurons = pd.read_parquet(singles).drop_duplicates(["site", "layer", "index"])
    neurons = neurons[["site", "layer", "index"]].reset_index(drop=True)
    words = pd.read_parquet(candidates)
    counted = words["candidate"].to_numpy()
    e = read_embeddings(weights)
    of_candidates = e[counted]
    matrices = read_matrices(sites, activations)
    tables = []
    # Of one replicate at a time, since the activations of its neurons by all words are in memory.
    for replicate in range(replicates):
        drawn = []
        for name in inputs:
            dice, found = generator(seed, "null input", name, replicate), neurons.copy()
            if name == "random_word":
                ids = dice.choice(np.flatnonzero(counted), len(neurons))
                vectors = e[ids]
                similar = target_similarity(vectors, ids, e, counted)
                # A word is nearest to itself, so the next one counts.
                found["nearest_cosine"] = similar["target_cosine"] - similar["margin"]
                rows = zip(neurons["site"], neurons["layer"], ids, neurons["index"], strict=True)
                found["activation"] = [matrices[s][la - 1, w, i] for s, la, w, i in rows]
            else:
                vectors = dice.standard_normal((len(neurons), e.shape[1]))
                if name == "embedding_covariance":
                    vectors = like_words(vectors, of_candidates)
                found["nearest_cosine"] = nearest_words(vectors, e, counted)[1]
            drawn.append((found.assign(null=name, draw=replicate), vectors))
        if drawn:
            found, vectors = zip(*drawn, strict=True)
            found = pd.concat(found, ignore_index=True)
            explained = _explained(np.concatenate(vectors), of_candidates)
            tables.append(found.join(neuron_explanations(found, matrices, words, explained)))
    columns = ["null", "draw", "site", "layer", "index", "nearest_cosine", "activation"]
    columns += [*MEASURES]
    found = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    write_table(found.reindex(columns=columns), table)


def _explained(inputs: np.ndarray, words: np.ndarray) -> Explained:
    """Return MEASURES of inputs, (n, H), over the candidate words, (C, H)."""

    def explained(rows, by_candidates):
        given = (inputs[rows], words, by_candidates)
        return pd.DataFrame({name: measure(*given) for name, measure in MEASURES.items()})

    return explained


if "snakemake" in globals():
    run(main, snakemake)
