"""Bring a model's files from its source and check them."""

from pathlib import Path

from running import run
from textualization.sources import fetch


def main(source: dict, weights: str) -> None:
    fetch(source, into=Path(weights).parent)


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        source=snakemake.params.source,
        weights=snakemake.output.weights,
    )
