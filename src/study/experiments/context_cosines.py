"""Optima of contexts, compared with the contexts' own words and with all others."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from study.experiments.context_groups import tokens_of
from study.experiments.context_table import Context
from textualization.analysis.similarity import unit
from textualization.models.model import Model

_COSINES = ["word_cosine", "context_cosine", "other_cosine", "own_word_cosine"]


def context_cosines(
    objectives: pd.DataFrame, e: np.ndarray, model: Model, contexts: Iterable[Context]
) -> pd.DataFrame:
    """Compare optima with the tokens of the contexts that their objectives come from.

    Args:
        objectives: `kind`, `item`, `label`, n rows.
        e: the optima, (n, H).
        model: the model, with its words and tokenizer.
        contexts: the contexts of all items.

    Returns:
        n rows, with the index of `objectives`:

        - `word_cosine`, `context_cosine`: the optimum's cosine to the mean embedding of the tokens of
          the words of interest in its label's sentences, and to the mean of all their tokens.
        - `other_cosine`: to the mean of all tokens of the item's other labels; NaN without one.
        - `own_word_cosine`: the highest to one of the tokens of its label's sentences.
        - `nearest_to`: what is nearest: `context` (the mean of all tokens), `own word` (one of them) or
          `another word` (a candidate that is none of them).

        NaN, and an empty `nearest_to`, for objectives that come from no context.
    """
    tokens = _tokens_by_label(contexts, model.tokenizer)
    embeddings, candidates = model.embeddings, model.words["candidate"].to_numpy()
    words = unit(embeddings)
    found = np.full((len(objectives), len(_COSINES)), np.nan)
    nearest_to = np.full(len(objectives), "", dtype=object)
    keys = zip(objectives["kind"], objectives["item"], objectives["label"], strict=True)
    for row, (kind, item, label) in enumerate(keys):
        if (kind, item) not in tokens:
            continue
        labels, optimum = tokens[kind, item], unit(e[row : row + 1])[0]
        ids, word = labels[label]
        others = [i for name, (of_other, _) in labels.items() if name != label for i in of_other]
        cosine = words @ optimum
        own = cosine[np.unique(ids)].max()
        found[row, :2] = [_mean(embeddings, of) @ optimum for of in (word, ids)]
        found[row, 2] = _mean(embeddings, others) @ optimum if others else np.nan
        found[row, 3] = own
        foreign = candidates.copy()
        foreign[ids] = False
        near = {"context": found[row, 1], "own word": own, "another word": cosine[foreign].max()}
        nearest_to[row] = max(near, key=near.get)
    table = pd.DataFrame(found, columns=_COSINES, index=objectives.index)
    return table.assign(nearest_to=nearest_to)


def _tokens_by_label(contexts: Iterable[Context], tokenizer) -> dict:
    """Collect {(kind, item): {label: (ids of all tokens, ids of the words' tokens)}}, with repeats."""
    tokens: dict = {}
    for c in contexts:
        ids, word = tokens_of(c, tokenizer)
        kept = tokens.setdefault((c.kind, c.item), {}).setdefault(c.label, ([], []))
        kept[0].extend(ids)
        kept[1].extend(ids[place] for place in word)
    return tokens


def _mean(embeddings: np.ndarray, ids: list[int]) -> np.ndarray:
    """Return the mean of some words' embeddings, (H,), at unit length."""
    return unit(embeddings[ids].mean(axis=0)[None])[0]
