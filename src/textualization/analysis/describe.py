"""Descriptions of optima: nearest words, rank of the target, utilisation by words, convergence."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from textualization.analysis.similarity import (
    collapsed,
    converged,
    nearest_words,
    target_similarity,
    utilisation,
)
from textualization.optima_arrays import OptimaArrays

#: Words whose activation is given as a share of the optimum's.
UTILISATIONS = ("best_word", "mean_word", "nearest_word")
#: Columns that compare the target with the other candidate words.
TARGET_COLUMNS = ("target_cosine", "target_rank", "margin")


def among_words(
    found: np.ndarray,
    start: np.ndarray,
    embeddings: np.ndarray,
    words: pd.DataFrame,
    targets: np.ndarray | None = None,
    shown: int = 1,
) -> pd.DataFrame:
    """Compare optima with the candidate words.

    Args:
        found, start: e and e₀, (n, H).
        embeddings: E, (V, H).
        words: the vocabulary, V rows: `word`, `candidate`.
        targets: the id of each optimum's target, (n,), -1 for none; or None.
        shown: number of nearest words to list; used only if every optimum has a target.

    Returns:
        One row per optimum: `nearest` (id), `nearest_word`, `nearest_cosine`, `start_nearest_cosine`.
        With `targets`: `target_cosine`, `target_rank`, `margin`, `recovered` (NaN without a target). If
        every optimum has a target: `nearest_words`.
    """
    names, candidates = words["word"].to_numpy(), words["candidate"].to_numpy()
    if targets is not None and (targets >= 0).all():
        similar = target_similarity(found, targets, embeddings, candidates, shown)
        table = pd.DataFrame({"nearest": similar["nearest_word"]})
        table["nearest_cosine"] = similar["nearest_cosine"]
        table["recovered"] = table["nearest"].to_numpy() == targets
        table["nearest_words"] = [" ".join(names[list(ids)]) for ids in similar["nearest_words"]]
        for column in TARGET_COLUMNS:
            table[column] = similar[column]
    else:
        nearest, cosine = nearest_words(found, embeddings, candidates)
        table = pd.DataFrame({"nearest": nearest, "nearest_cosine": cosine})
        if targets is not None:
            table = table.assign(**dict.fromkeys((*TARGET_COLUMNS, "recovered"), np.nan))
            has = targets >= 0
            if has.any():
                similar = target_similarity(found[has], targets[has], embeddings, candidates)
                for column in TARGET_COLUMNS:
                    table.loc[has, column] = similar[column].to_numpy()
                table.loc[has, "recovered"] = (nearest[has] == targets[has]).astype(float)
    table["nearest_word"] = names[table["nearest"]]
    table["start_nearest_cosine"] = nearest_words(start, embeddings, candidates)[1]
    return table


def describe_singles(
    facts: pd.DataFrame,
    start: np.ndarray,
    found: np.ndarray,
    embeddings: np.ndarray,
    words: pd.DataFrame,
    neurons: pd.DataFrame,
    activations_of: Callable[[pd.DataFrame, np.ndarray], object],
) -> pd.DataFrame:
    """Describe optima of single neurons.

    Args:
        facts: facts of the optima (`OptimaArrays.facts`), with `site`, `layer`, `index`.
        start, found: e₀ and e, (n, H).
        embeddings: E, (V, H).
        words: the vocabulary, V rows: `word`, `candidate`.
        neurons: the neurons' activations over words (`neuron_summary`), with `site`, `layer`.
        activations_of: function of the facts and one word id per row; returns the activation of each
            row's neuron by its word.

    Returns:
        The facts, and: `best_word` and `top_words` of the neuron; `nearest_word`, `nearest_cosine`,
        `start_nearest_cosine`; the activation by the best word, the nearest word and words on average,
        and the utilisation by each.
    """
    names = words["word"].to_numpy()
    neurons = neurons.assign(
        best_word=names[neurons["top_words"].str[0].astype(int)],
        top_words=[" ".join(names[list(top)]) for top in neurons["top_words"]],
    )
    neurons = neurons.rename(
        columns={"max": "best_word_activation", "mean_abs": "mean_word_activation"}
    ).drop(columns=["mean", "std", "top_activations"])
    facts = facts.merge(neurons, on=["site", "layer", "index"], how="left", validate="many_to_one")
    facts["largest_entries"] = [" ".join(names[list(ids)]) for ids in facts["largest_entries"]]
    among = among_words(found, start, embeddings, words)
    for column in ("nearest_word", "nearest_cosine", "start_nearest_cosine"):
        facts[column] = among[column].to_numpy()
    facts["nearest_word_activation"] = activations_of(facts, among["nearest"].to_numpy())
    return with_utilisation(facts)


def describe_groups(
    facts: pd.DataFrame,
    start: np.ndarray,
    found: np.ndarray,
    embeddings: np.ndarray,
    words: pd.DataFrame,
    activations_of: Callable[[pd.DataFrame, np.ndarray, np.ndarray], pd.DataFrame],
    shown: int = 1,
) -> pd.DataFrame:
    """Describe optima of groups, each compared with the group's target.

    Args:
        facts: facts of the optima (`OptimaArrays.facts`), with `target`, a word's id.
        start, found: e₀ and e, (n, H).
        embeddings: E, (V, H).
        words: the vocabulary, V rows: `word`, `candidate`.
        activations_of: function of the facts (with `word`), the targets' ids and the nearest words'
            ids; returns columns `<kind>_activation`, the activation of each group by words.
        shown: number of nearest words to list.

    Returns:
        The facts without `target`, and: `word`, `recovered`, `nearest_word`, `nearest_words`,
        `nearest_cosine`, `start_nearest_cosine`, `target_cosine`, `target_rank`, `margin`; the columns
        of `activations_of`, and the utilisation by each.
    """
    names, target = words["word"].to_numpy(), facts["target"].to_numpy()
    among = among_words(found, start, embeddings, words, target, shown)
    facts = facts.drop(columns="target").assign(
        word=names[target],
        largest_entries=[" ".join(names[list(ids)]) for ids in facts["largest_entries"]],
    )
    nearest = among.pop("nearest").to_numpy()
    facts = facts.assign(**{column: among[column].to_numpy() for column in among})
    return with_utilisation(facts.join(activations_of(facts, target, nearest)))


def with_utilisation(facts: pd.DataFrame) -> pd.DataFrame:
    """Add `utilisation_<kind>`: activation by words as a share of the optimum's, by UTILISATIONS."""
    shares = {
        f"utilisation_{kind}": utilisation(facts[f"{kind}_activation"], facts["activation"])
        for kind in UTILISATIONS
        if f"{kind}_activation" in facts
    }
    return facts.assign(**shares)


def shares_of_bounds(activation, sign, ceiling, floor) -> dict[str, np.ndarray]:
    """Compare activations with their bounds.

    Args:
        activation: the objectives' own activations, (n,).
        sign: 1 where a maximum is sought, -1 where a minimum is, (n,).
        ceiling, floor: bounds over all inputs, (n,).

    Returns:
        `ceiling`, `share_of_ceiling` (NaN for minima), `floor`, `share_of_floor` (NaN unless a minimum
        is sought and the floor is below 0), (n,) each.
    """
    below = (sign < 0) & (floor < 0)
    return {
        "ceiling": ceiling,
        "share_of_ceiling": np.where(sign > 0, activation / ceiling, np.nan),
        "floor": floor,
        "share_of_floor": np.where(below, activation / np.where(below, floor, 1), np.nan),
    }


def ended(optima: OptimaArrays, convergence: dict, collapse: float) -> pd.DataFrame:
    """Tell whether each ascent `converged` and whether it `collapsed`.

    Args:
        optima: the optima.
        convergence: `last` and `tolerance` of `textualization.analysis.similarity.converged`.
        collapse: `tolerance` of `textualization.analysis.similarity.collapsed`.
    """
    # An ascent that became non-finite no longer moves, but has not converged.
    has_converged = converged(optima.steps, optima.curve, **convergence) & optima.finite
    return pd.DataFrame(
        {"converged": has_converged, "collapsed": collapsed(optima.curve, collapse)},
        index=optima.objectives.index,
    )


def in_order(table: pd.DataFrame, first: str) -> pd.DataFrame:
    """Move the columns named in `first`, separated by spaces, before all others."""
    first = first.split()
    return table[first + [column for column in table if column not in first]]
