"""Batches of optima as the describing scripts read them: one table of facts, one array per tensor."""

from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from textualization.similarity import collapsed, converged

KEPT = ("activation", "ceiling", "finite", "dead", "taken")


def read_batches(paths, labels, name_parts, convergence, collapse):
    """Read ascent batches in order.

    labels: the names of the labels kept with each optimum. name_parts: what the parts of a file's
    name (split at `-`) mean, None for those that are no fact. convergence, collapse: settings of
    `converged` and `collapsed`.
    Returns the facts (DataFrame: name parts, labels, KEPT, `largest_entries` (ids), `converged`,
    `collapsed`), start and final embeddings (n, H), and the curves (DataFrame: `row`, `step`,
    `activation`).
    """
    facts, starts, embeddings, curves, rows = [], [], [], [], 0
    for path in paths:
        batch = load_file(path)
        table = pd.DataFrame({name: batch[name] for name in (*labels, *KEPT)})
        table["largest_entries"] = list(batch["largest_entries"])
        table["converged"] = converged(batch["steps"], batch["curve"], **convergence)
        table["collapsed"] = collapsed(batch["curve"], collapse)
        for part, value in zip(name_parts, Path(path).stem.split("-"), strict=True):
            if part:
                table[part] = int(value) if value.isdigit() else value
        facts.append(table)
        starts.append(batch["start"])
        embeddings.append(batch["embedding"])
        recorded, n = batch["curve"].shape
        curves.append(
            pd.DataFrame(
                {
                    "row": np.tile(np.arange(rows, rows + n), recorded),
                    "step": np.repeat(batch["steps"], n),
                    "activation": batch["curve"].ravel(),
                }
            )
        )
        rows += n
    return (
        pd.concat(facts, ignore_index=True),
        np.concatenate(starts),
        np.concatenate(embeddings),
        pd.concat(curves, ignore_index=True),
    )


def read_embeddings(weights) -> np.ndarray:
    """The word-embedding matrix E, (V, H), without reading the rest of the model."""
    from safetensors import safe_open

    with safe_open(weights, framework="np") as file:
        return file.get_tensor("word_embeddings")
