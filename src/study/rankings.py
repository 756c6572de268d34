"""Rankings of neurons by word. The groups of a study are the first k neurons of a ranking."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from textualization.analysis.selection import all_neurons, ranked_neurons


def rank_words(
    matrices: dict[str, np.ndarray],
    summaries: pd.DataFrame | None,
    targets: pd.DataFrame,
    selection: str,
    scope: str,
) -> pd.DataFrame:
    """Rank the neurons for every target word, the strongest first.

    Args:
        matrices: word activations per site, (layers, V, width).
        summaries: the neurons over all words, see `neuron_summary`; None for absolute selection.
        targets: `word`, `id`.
        selection: see `textualization.analysis.selection`.
        scope: `model` (all layers together) or `layer` (each layer separately).

    Returns:
        `word`, `scope_layer` (0: all layers together), `rank` (from 1), `site`, `layer`, `index`,
        `score`.
    """
    neurons = pd.concat(
        [all_neurons(site, len(a), a.shape[2]) for site, a in matrices.items()], ignore_index=True
    )
    if summaries is not None:
        neurons = neurons.merge(
            summaries, how="left", on=["site", "layer", "index"], validate="one_to_one"
        )
    # (words, neurons), the neurons in the order of `neurons`.
    rows = [
        a[:, targets["id"]].transpose(1, 0, 2).reshape(len(targets), -1) for a in matrices.values()
    ]
    rows = np.concatenate(rows, axis=1)
    pools = [neurons] if scope == "model" else [n for _, n in neurons.groupby("layer")]
    tables = []
    for word, row in zip(targets["word"], rows, strict=True):
        for pool in pools:
            order, score = ranked_neurons(selection, row[pool.index], pool)
            table = pool.iloc[order][["site", "layer", "index"]]
            table.insert(0, "word", word)
            table.insert(1, "scope_layer", 0 if scope == "model" else pool["layer"].iloc[0])
            table.insert(2, "rank", np.arange(1, len(order) + 1))
            tables.append(table.assign(score=score))
    table = pd.concat(tables, ignore_index=True)
    compact = {"layer": "int16", "scope_layer": "int16", "rank": "int32", "index": "int32"}
    compact |= {"word": "category", "site": "category", "score": "float32"}
    return table.astype(compact)


def read_rankings(paths) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield (selection, scope, ranking) for each of the files `<selection>-<scope>.parquet`."""
    for path in paths:
        yield *Path(path).stem.split("-"), pd.read_parquet(path)
