"""Activations of neurons and groups by words, from matrices of word activations.

A study stores those of its model; V is its vocabulary.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from textualization.analysis.activation_summaries import group_activations
from textualization.analysis.explanation import explanation

#: Number of groups whose activations by all words are in memory at once.
GROUPS_AT_ONCE = 32
KINDS = ("word", "nearest_word", "best_word", "mean_word")


def neuron_activations(matrices: dict[str, np.ndarray]) -> Callable:
    """Return the function `activations_of` for `describe_singles`.

    Args:
        matrices: word activations per site, (layers, V, width).
    """

    def activations_of(facts, word):
        rows = zip(facts["site"], facts["layer"], word, facts["index"], strict=True)
        return [matrices[site][layer - 1, id, index] for site, layer, id, index in rows]

    return activations_of


def activations_by_words(
    facts: pd.DataFrame, matrices: dict[str, np.ndarray], ids: np.ndarray
) -> np.ndarray:
    """Read the activations of single neurons by some words.

    Args:
        facts: n rows: `site`, `layer`, `index`.
        matrices: word activations per site, (layers, V, width).
        ids: ids of the words, (W,).

    Returns:
        (n, W).
    """
    found = np.empty((len(facts), len(ids)))
    for rows, activations in _by_layer(facts, matrices, ids):
        found[rows] = activations.T
    return found


def mean_activations(
    matrices: Mapping[str, Sequence[np.ndarray]], groups: list, ids: np.ndarray
) -> np.ndarray:
    """Compute the mean activations of groups of neurons by some words.

    Args:
        matrices: word activations per site and layer, each (rows, width).
        groups: n lists of neurons (site, layer, index).
        ids: the rows of the words, (W,).

    Returns:
        (W, n), float64.
    """
    shares: dict = {}
    for row, group in enumerate(groups):
        for site, layer, index in group:
            width = matrices[site][layer - 1].shape[1]
            share = shares.setdefault((site, layer), np.zeros((width, len(groups))))
            share[index, row] += 1 / len(group)
    return sum(matrices[site][la - 1][ids] @ share for (site, la), share in shares.items())


def _by_layer(facts, matrices, ids) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the rows of every site and layer, and their activations by some words, (W, rows)."""
    index = facts["index"].to_numpy()
    for (site, layer), rows in facts.groupby(["site", "layer"], observed=True).indices.items():
        yield rows, matrices[site][layer - 1][ids][:, index[rows]]


#: Measures some rows, given their activations by the candidate words, (C, rows).
Explained = Callable[[np.ndarray, np.ndarray], pd.DataFrame]


def neuron_explanations(
    facts: pd.DataFrame,
    matrices: dict[str, np.ndarray],
    words: pd.DataFrame,
    explained: Explained,
) -> pd.DataFrame:
    """Measure how well inputs explain single neurons over the candidate words.

    Args:
        facts: n rows: `site`, `layer`, `index`.
        matrices: word activations per site, (layers, V, width).
        words: the vocabulary, V rows: `candidate`.
        explained: the measure.

    Returns:
        n rows with the columns of `explained`.
    """
    candidates = np.flatnonzero(words["candidate"])
    tables = [
        explained(rows, activations).set_index(rows)
        for rows, activations in _by_layer(facts, matrices, candidates)
    ]
    return pd.concat(tables).sort_index().set_index(facts.index)


def explaining(
    start: np.ndarray, found: np.ndarray, embeddings: np.ndarray, words: pd.DataFrame
) -> Explained:
    """Return the measure `explanation` of optima.

    Args:
        start, found: e₀ and e, (n, H).
        embeddings: E, (V, H).
        words: the vocabulary, V rows: `candidate`.
    """
    embeddings = embeddings[words["candidate"]]

    def explained(rows, by_candidates):
        return explanation(found[rows], start[rows], embeddings, by_candidates)

    return explained


def group_word_activations(
    facts: pd.DataFrame,
    target: np.ndarray,
    nearest: np.ndarray,
    rankings: Iterable[tuple[str, str, pd.DataFrame]],
    matrices: dict[str, np.ndarray],
    words: pd.DataFrame,
    explained: Explained,
) -> pd.DataFrame:
    """Compute each group's activation by its target, nearest word, best word and words on average.

    Args:
        facts: the groups, n rows: `word`, `selection`, `scope`, `scope_layer`, `size`.
        target, nearest: ids of each group's target and nearest word, (n,).
        rankings: (selection, scope, ranking); a group is the first neurons of a word's ranking.
        matrices: word activations per site, (layers, V, width).
        words: the vocabulary, V rows: `word`, `candidate`.
        explained: the measure of explanation.

    Returns:
        n rows: `<kind>_activation` for KINDS, where `word` is the target; `best_word`; the columns of
        `explained`.
    """
    candidates, names = np.flatnonzero(words["candidate"]), words["word"].to_numpy()
    best_word = np.empty(len(facts), dtype=object)
    found, further = np.empty((len(facts), len(KINDS))), []
    for selection, scope, ranking in rankings:
        chosen = (facts["selection"] == selection) & (facts["scope"] == scope)
        ranking = ranking[ranking["word"].isin(facts["word"][chosen])]
        group = ranking.groupby(["word", "scope_layer"], observed=True).ngroup()
        ranking = ranking.assign(group=group)
        sizes = np.sort(facts["size"][chosen].unique())
        # In parts, since (V, groups, sizes) would not fit in memory for a long word list.
        for first in range(0, ranking["group"].max() + 1, GROUPS_AT_ONCE):
            part = ranking[ranking["group"].between(first, first + GROUPS_AT_ONCE - 1)]
            part = part.assign(group=part["group"] - first)
            means = group_activations(matrices, part, sizes)
            keys = part.drop_duplicates("group")[["word", "scope_layer", "group"]]
            rows = facts[chosen].reset_index().merge(keys, on=["word", "scope_layer"])
            at, group = rows["index"].to_numpy(), rows["group"].to_numpy()
            size = np.searchsorted(sizes, rows["size"])
            by_candidates = means[candidates]
            best = candidates[by_candidates.argmax(axis=0)]
            average = np.abs(by_candidates).mean(axis=0)
            best_word[at] = names[best[group, size]]
            found[at, 0] = means[target[at], group, size]
            found[at, 1] = means[nearest[at], group, size]
            found[at, 2] = means[best[group, size], group, size]
            found[at, 3] = average[group, size]
            further.append(explained(at, by_candidates[:, group, size]).set_index(at))
    columns = [f"{kind}_activation" for kind in KINDS]
    table = pd.DataFrame(found, columns=columns).assign(best_word=best_word)
    return table.join(pd.concat(further)).set_index(facts.index)
