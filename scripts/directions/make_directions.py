"""Make the directions of one set, at all its layers, of unit length."""

import numpy as np
import pandas as pd

from study.job import run
from study.made_directions import make_directions
from textualization.files import write_table
from textualization.registry import SIGNS


def main(
    candidates, direction_set, of, layers, width, seek, seed, vectors, words=None, activations=None
) -> None:
    ids = np.flatnonzero(pd.read_parquet(candidates)["candidate"])
    words = None if words is None else pd.read_parquet(words)
    matrices = None if activations is None else np.load(activations, mmap_mode="r")
    tables = [
        make_directions(
            direction_set, of, layer, width, words, ids, _at(matrices, layer, seek), seed
        )
        for layer in layers
    ]
    write_table(pd.concat(tables, ignore_index=True), vectors)


def _at(matrices, layer, seek):
    # The study keeps activations negated if it seeks minima.
    return lambda ids: SIGNS[seek] * matrices[layer - 1][ids]


if "snakemake" in globals():
    run(main, snakemake)
