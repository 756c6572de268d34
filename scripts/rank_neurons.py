"""For every target word, all neurons of a scope, the most telling first."""

import numpy as np
import pandas as pd

from running import run
from textualization.files import write_table
from textualization.selection import scores, strongest
from textualization.settings import read_targets
from textualization.vocabulary import target_ids


def main(activations, summaries, vocabulary, targets, selection, scope, ranking) -> None:
    words = read_targets(targets)
    ids = target_ids(pd.read_parquet(vocabulary), words)
    neurons = pd.concat([pd.read_parquet(path) for path in summaries], ignore_index=True)
    # (words, neurons), neurons in the order of `neurons`: site by site, layer by layer.
    a = np.concatenate(
        [
            np.load(path, mmap_mode="r")[:, ids].transpose(1, 0, 2).reshape(len(ids), -1)
            for path in activations
        ],
        axis=1,
    )
    pools = [neurons] if scope == "model" else [n for _, n in neurons.groupby("layer")]
    tables = []
    for word, row in zip(words, a, strict=True):
        for pool in pools:
            score = scores(selection, row[pool.index], pool["max"], pool["mean"], pool["std"])
            order = strongest(score, int(np.isfinite(score).sum()))
            table = pool.iloc[order][["site", "layer", "index"]]
            table.insert(0, "word", word)
            # The scope's layer; 0 stands for all layers together.
            table.insert(1, "scope_layer", 0 if scope == "model" else pool["layer"].iloc[0])
            table.insert(2, "rank", np.arange(1, len(order) + 1))
            tables.append(table.assign(score=score[order]))
    table = pd.concat(tables, ignore_index=True)
    compact = {"layer": "int16", "scope_layer": "int16", "rank": "int32", "index": "int32"}
    compact |= {"word": "category", "site": "category", "score": "float32"}
    write_table(table.astype(compact), ranking)


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        activations=snakemake.input.activations,
        summaries=snakemake.input.summaries,
        vocabulary=snakemake.input.vocabulary,
        targets=snakemake.input.targets,
        selection=snakemake.wildcards.selection,
        scope=snakemake.wildcards.scope,
        ranking=snakemake.output[0],
    )
