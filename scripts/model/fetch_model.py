"""Fetch a model's files from its source and check them."""

import logging
from pathlib import Path

from study.job import run
from textualization.models.sources import fetch


def main(source: dict, weights: str) -> None:
    found = fetch(source, into=Path(weights).parent)
    logging.info("the weights' SHA-256 is %s", found)


if "snakemake" in globals():
    run(main, snakemake)
