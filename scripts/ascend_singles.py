"""Gradient ascent on single neurons: one batch of neurons of one layer."""

import pandas as pd
import torch

from climbing import climb
from model_access import load_model
from running import run
from textualization.starts import drawn_neurons


def main(
    weights,
    vocabulary,
    site,
    layer,
    number,
    neurons,
    restarts,
    batch,
    settings,
    init,
    seed,
    read,
    dtype,
    device,
    threads,
    optima,
) -> None:
    torch.set_num_threads(threads)
    model = load_model(weights, pd.read_parquet(vocabulary)["word"], read, device, dtype)
    drawn = drawn_neurons(seed, site, layer, model.width(site), neurons)
    objectives = [(int(index), restart) for index in drawn for restart in range(restarts)]
    objectives = objectives[number * batch : (number + 1) * batch]
    climb(
        model,
        groups=[[(site, layer, index)] for index, _ in objectives],
        identities=[("single", site, layer, index, restart) for index, restart in objectives],
        labels={
            "index": [index for index, _ in objectives],
            "restart": [restart for _, restart in objectives],
        },
        settings=settings,
        init=init,
        seed=seed,
        optima=optima,
    )


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        weights=snakemake.input.weights,
        vocabulary=snakemake.input.vocabulary,
        site=snakemake.wildcards.site,
        layer=int(snakemake.wildcards.layer),
        number=int(snakemake.wildcards.batch),
        neurons=snakemake.params.neurons,
        restarts=snakemake.params.restarts,
        batch=snakemake.params.batch,
        settings=snakemake.params.settings,
        init=snakemake.params.init,
        seed=snakemake.params.seed,
        read=snakemake.params.read,
        dtype=snakemake.params.dtype,
        device=snakemake.resources.device,
        threads=snakemake.threads,
        optima=snakemake.output[0],
    )
