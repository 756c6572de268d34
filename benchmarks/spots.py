"""Ascend on a few objectives of a model by the paper's 5,000 steps and by the default solver: spots.csv.

The model is any that `textualization.load` takes. A group's word is drawn from the shipped words.
"""

import argparse
import time
from pathlib import Path

import pandas as pd

import textualization as tx
from textualization.draws import drawn_neurons
from textualization.files import write_text

SOLVERS = {
    "literal": {},
    "equivalent": {"solver": "lbfgs", "steps": 105, "dtype": "float64"},
}
WORDS = ["music", "river", "doctor", "window"]
SHOWN = ["activation", "share_of_ceiling", "utilisation_best_word", "nearest_cosine"]
SHOWN += ["nearest_word", "target_rank"]


def main(model: str, size: int, seed: int, threads: int, out: str) -> None:
    loaded = tx.load(model, device="cpu")
    layers = [round(loaded.layers * share) for share in (0.25, 0.5, 0.75, 1)]
    neurons = [
        f"output/{layer}/{drawn_neurons(seed, 'output', layer, loaded.architecture.hidden, 1)[0]}"
        for layer in layers
    ]
    groups = {word: loaded.neurons_of(word, size=size) for word in WORDS}
    tables = []
    for name, protocol in SOLVERS.items():
        began = time.perf_counter()
        optima = tx.ascend(loaded, neurons, groups, seed=seed, threads=threads, **protocol)
        took = time.perf_counter() - began
        table = optima.table().set_index("objective").reindex(columns=SHOWN)
        tables.append(table.assign(seconds=took).add_prefix(f"{name}_"))
    found = pd.concat(tables, axis=1).reset_index().assign(model=Path(model).name, size=size)
    write_text(found.to_csv(index=False), Path(out))
    print(found.to_string())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="hub id or local folder")
    parser.add_argument("--size", type=int, default=200, help="neurons of a group")
    parser.add_argument("--seed", type=int, default=2023)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", default="results/benchmarks/spots.csv")
    main(**vars(parser.parse_args()))
