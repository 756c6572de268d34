"""For every target word, all neurons of a scope, the most telling first."""

import numpy as np
import pandas as pd

from running import run
from textualization.files import write_table
from textualization.selection import scores, strongest


def main(activations, summaries, targets, sites, selection, scope, ranking) -> None:
    targets = pd.read_parquet(targets)
    matrices = [np.load(path, mmap_mode="r") for path in activations]
    neurons = pd.concat(
        [_neurons(site, a) for site, a in zip(sites, matrices, strict=True)], ignore_index=True
    )
    for statistic in ("max", "mean", "std"):
        neurons[statistic] = np.nan
    if summaries:
        found = pd.concat([pd.read_parquet(path) for path in summaries])
        neurons = neurons[["site", "layer", "index"]].merge(
            found, how="left", on=["site", "layer", "index"], validate="one_to_one"
        )
    # (words, neurons), the neurons in the order of `neurons`.
    rows = [a[:, targets["id"]].transpose(1, 0, 2).reshape(len(targets), -1) for a in matrices]
    rows = np.concatenate(rows, axis=1)
    pools = [neurons] if scope == "model" else [n for _, n in neurons.groupby("layer")]
    tables = []
    for word, row in zip(targets["word"], rows, strict=True):
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


def _neurons(site: str, activations: np.ndarray) -> pd.DataFrame:
    """All neurons of a site, layer by layer. activations: (layers, V, width)."""
    layers, _, width = activations.shape
    layer, index = np.repeat(np.arange(1, layers + 1), width), np.tile(np.arange(width), layers)
    return pd.DataFrame({"site": site, "layer": layer, "index": index})


if "snakemake" in globals():
    run(
        main,
        snakemake,
        activations=snakemake.input.activations,
        summaries=snakemake.input.summaries,
        targets=snakemake.input.targets,
        sites=snakemake.params.sites,
        selection=snakemake.wildcards.selection,
        scope=snakemake.wildcards.scope,
        ranking=snakemake.output[0],
    )
