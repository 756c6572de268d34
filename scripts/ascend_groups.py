"""Gradient ascent on groups of neurons: one selection and scope, some sizes, all words and restarts."""

from collections import Counter

import pandas as pd

from climbing import climb, job_of
from running import run
from textualization.starts import runs


def main(
    weights,
    targets,
    ranking,
    selection,
    scope,
    sizes,
    number,
    restarts,
    repeated,
    batch,
    protocol,
    job,
    optima,
) -> None:
    ranked = pd.read_parquet(ranking)
    ranked = ranked[ranked["rank"] <= max(sizes)]
    ranked = {
        key: list(zip(neurons["site"], neurons["layer"], neurons["index"], strict=True))
        for key, neurons in ranked.groupby(["word", "scope_layer"], observed=True, sort=False)
    }
    short = sorted({word for (word, _), neurons in ranked.items() if len(neurons) < max(sizes)})
    if short:
        raise ValueError(
            f"groups of {max(sizes)} neurons: {selection} ranks fewer for {', '.join(short)}"
        )
    names = dict.fromkeys(word for word, _ in ranked)
    restarts = Counter(word for word, _ in runs(protocol["seed"], names, restarts, repeated))
    objectives = [
        (size, word, layer, restart)
        for size in sizes
        for word, layer in ranked
        for restart in range(restarts[word])
    ]
    objectives = objectives[number * batch : (number + 1) * batch]
    ids = pd.read_parquet(targets).set_index("word")["id"]
    climb(
        groups=[ranked[word, layer][:size] for size, word, layer, _ in objectives],
        identities=[
            ("group", word, selection, scope, layer, size, restart)
            for size, word, layer, restart in objectives
        ],
        labels={
            "size": [size for size, _, _, _ in objectives],
            "target": [int(ids[word]) for _, word, _, _ in objectives],
            "scope_layer": [int(layer) for _, _, layer, _ in objectives],
            "restart": [restart for _, _, _, restart in objectives],
        },
        protocol=protocol,
        weights=weights,
        job=job,
        optima=optima,
    )


if "snakemake" in globals():
    run(
        main,
        snakemake,
        weights=snakemake.input.weights,
        targets=snakemake.input.targets,
        ranking=snakemake.input.ranking,
        selection=snakemake.wildcards.selection,
        scope=snakemake.wildcards.scope,
        sizes=[int(size) for size in snakemake.wildcards.sizes.split("_")],
        number=int(snakemake.wildcards.batch),
        restarts=snakemake.params.restarts,
        repeated=snakemake.params.repeated,
        batch=snakemake.params.batch,
        protocol=snakemake.params.protocol,
        job=job_of(snakemake),
        optima=snakemake.output[0],
    )
