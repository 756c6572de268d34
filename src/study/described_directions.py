"""Descriptions of the optima of directions: as those of single neurons, along a direction each."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from textualization.analysis.activation_summaries import neuron_summary
from textualization.analysis.describe import describe_singles
from textualization.analysis.explanation import explanation
from textualization.analysis.similarity import cosine_to_others

#: Number of optima whose activations by all words are in memory at once.
AT_ONCE = 256
#: Words listed per direction: those that activate it most.
TOP_WORDS = 10


def describe_directions(
    facts: pd.DataFrame,
    start: np.ndarray,
    found: np.ndarray,
    embeddings: np.ndarray,
    words: pd.DataFrame,
    vectors: np.ndarray,
    ids: np.ndarray,
    activations: Callable[[str, int, np.ndarray], np.ndarray],
) -> pd.DataFrame:
    """Describe optima of directions: nearest and best words, utilisation, explanation.

    Args:
        facts: facts of the optima (`OptimaArrays.facts`), n rows, with `set`, `site`, `layer`, `name`.
        start, found: e₀ and e, (n, H).
        embeddings: E, (V, H).
        words: the vocabulary, V rows: `word`, `candidate`.
        vectors: each optimum's direction, (n, width) or, over several sites, a list of n vectors.
        ids: ids of the words over which directions are summarised and explained.
        activations: function of site, layer and ids of words; returns (words, width).

    Returns:
        The columns of `describe_singles` and `explanation`, and over these words `mean`, `std` and
        `top_activations` (by `top_words`); n rows in the order of the facts.
    """
    tables = []
    for (site, layer), rows in facts.groupby(["site", "layer"], sort=False).indices.items():
        by_neuron = activations(site, layer, ids).astype(np.float64)
        for first in range(0, len(rows), AT_ONCE):
            part = rows[first : first + AT_ONCE]
            along = np.stack([vectors[row] for row in part])
            by_word = by_neuron @ along.T
            summary = neuron_summary(by_word, np.ones(len(ids), dtype=bool), TOP_WORDS)
            summary["top_words"] = [ids[places] for places in summary["top_words"]]
            explained = explanation(found[part], start[part], embeddings[ids], by_word)
            own = facts.iloc[part].reset_index(drop=True).join(explained)
            described = describe_singles(
                own.assign(index=np.arange(len(part))),
                start[part],
                found[part],
                embeddings,
                words,
                summary.assign(site=site, layer=layer),
                _along(along, activations, site, layer),
            )
            over_words = summary[["mean", "std", "top_activations"]]
            tables.append(described.drop(columns="index").join(over_words).set_index(part))
    return pd.concat(tables).sort_index()


def _along(along, activations, site, layer) -> Callable:
    """Return the function `activations_of` for `describe_singles`: one word per direction."""

    def activations_of(facts, word):
        return (activations(site, layer, word).astype(np.float64) * along).sum(axis=1)

    return activations_of


def restarts_agree(optima: pd.DataFrame, embeddings: np.ndarray) -> pd.DataFrame:
    """Measure how far the ascents of one direction agree that began at different starts.

    Args:
        optima: described optima, n rows: `set`, `site`, `layer`, `name`, `nearest_word`.
        embeddings: the optima, (n, H).

    Returns:
        A row per direction with several restarts: `set`, `site`, `layer`, `name`; over all pairs of its
        optima, `restart_cosine` (their mean cosine) and `same_nearest_word` (a share).
    """
    keys, rows = ["set", "site", "layer", "name"], []
    nearest = optima["nearest_word"].to_numpy()
    for names, places in optima.groupby(keys, sort=False).indices.items():
        if len(places) > 1:
            one, other = (places[row] for row in np.triu_indices(len(places), k=1))
            row = dict(zip(keys, names, strict=True))
            row["restart_cosine"] = cosine_to_others(embeddings[places]).mean()
            row["same_nearest_word"] = (nearest[one] == nearest[other]).mean()
            rows.append(row)
    return pd.DataFrame(rows, columns=[*keys, "restart_cosine", "same_nearest_word"])
