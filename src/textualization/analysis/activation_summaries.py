"""Summaries of word activations, by neuron and by group."""

import numpy as np
import pandas as pd


def neuron_summary(activations: np.ndarray, candidates: np.ndarray, top: int) -> pd.DataFrame:
    """Summarise the activations of the neurons of one layer and site over the candidate words.

    Args:
        activations: (V, width).
        candidates: (V,), bool.
        top: number of most activating words to list.

    Returns:
        One row per neuron: `index`, `max`, `mean`, `mean_abs`, `std`, `top_words` (vocabulary ids, most
        activating first), `top_activations`.
    """
    ids = np.flatnonzero(candidates)
    a = activations[ids]
    top = min(top, len(ids))
    highest = np.argpartition(a, -top, axis=0)[-top:]
    order = np.argsort(-np.take_along_axis(a, highest, axis=0), axis=0, kind="stable")
    highest = np.take_along_axis(highest, order, axis=0)
    mean = a.mean(axis=0, dtype=np.float64)
    return pd.DataFrame(
        {
            "index": np.arange(a.shape[1]),
            "max": a.max(axis=0),
            "mean": mean,
            "mean_abs": np.abs(a).mean(axis=0, dtype=np.float64),
            "std": a.std(axis=0, dtype=np.float64),
            "top_words": list(ids[highest].T),
            "top_activations": list(np.take_along_axis(a, highest, axis=0).T),
        }
    )


def group_activations(matrices: dict, ranking: pd.DataFrame, sizes) -> np.ndarray:
    """Compute the mean activation of groups by every word; a group is the first k neurons of a ranking.

    Args:
        matrices: word activations per site, (layers, V, width).
        ranking: one row per neuron: `group` (from 0), `rank` (from 1), `site`, `layer`, `index`.
        sizes: the values of k.

    Returns:
        (V, groups, sizes), float32.
    """
    sizes = np.asarray(sizes)
    ranking = ranking[ranking["rank"] <= sizes.max()]
    shape = (int(ranking["group"].max()) + 1, len(sizes))
    total = 0.0
    for (site, layer), rows in ranking.groupby(["site", "layer"], observed=True):
        a = matrices[site][layer - 1]
        # A neuron counts in all groups whose size is at least its rank.
        share = np.zeros((a.shape[1], *shape), dtype=np.float32)
        share[rows["index"], rows["group"]] = (rows["rank"].to_numpy()[:, None] <= sizes) / sizes
        total = total + a @ share.reshape(a.shape[1], -1)
    return total.reshape(-1, *shape)
