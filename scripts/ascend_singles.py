"""Gradient ascent on single neurons: one batch of neurons of one layer."""

from climbing import climb, job_of
from running import run
from textualization.starts import drawn_neurons, runs


def main(
    weights,
    site,
    layer,
    number,
    width,
    neurons,
    restarts,
    repeated,
    batch,
    protocol,
    job,
    optima,
) -> None:
    drawn = drawn_neurons(protocol["seed"], site, layer, width, neurons).tolist()
    objectives = runs(protocol["seed"], drawn, restarts, repeated, site, layer)
    objectives = objectives[number * batch : (number + 1) * batch]
    climb(
        groups=[[(site, layer, index)] for index, _ in objectives],
        identities=[("single", site, layer, index, restart) for index, restart in objectives],
        labels={
            "index": [index for index, _ in objectives],
            "restart": [restart for _, restart in objectives],
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
        site=snakemake.wildcards.site,
        layer=int(snakemake.wildcards.layer),
        number=int(snakemake.wildcards.batch),
        width=snakemake.params.width,
        neurons=snakemake.params.neurons,
        restarts=snakemake.params.restarts,
        repeated=snakemake.params.repeated,
        batch=snakemake.params.batch,
        protocol=snakemake.params.protocol,
        job=job_of(snakemake),
        optima=snakemake.output[0],
    )
