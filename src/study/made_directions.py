"""The directions of a study's sets, made of a model's word activations, of a file, or at random."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from study.config.direction_sets import kind_of
from textualization.analysis.direction_vectors import (
    leading_components,
    orthonormal,
    rows_in,
    unit_direction,
)
from textualization.models.vocabulary import VocabularyError, WordLookup

#: Returns the activations of words, given by their ids, at one site and layer: (words, width).
Activations = Callable[[np.ndarray], np.ndarray]


def find_words(named: dict[str, dict[str, list[str]]], lookup: WordLookup) -> pd.DataFrame:
    """Look up the words that sets of directions name, see `WordLookup`.

    Args:
        named: words by set and key, see `study.config.direction_sets.words_of`.
        lookup: the vocabulary.

    Returns:
        A row per word: `set`, `key`, `listed` (as the settings have it), `id` (-1 if it is not one
        entry), `word` (the entry by name), `pieces` (the tokens by name).
    """
    rows = [
        (name, key, word, lookup.find(word), " ".join(lookup.names[lookup.tokens(word)]))
        for name, keys in named.items()
        for key, words in keys.items()
        for word in words
    ]
    table = pd.DataFrame(rows, columns=["set", "key", "listed", "id", "pieces"])
    return table.assign(word=[lookup.names[i] if i >= 0 else "" for i in table["id"]])


def usable_words(found: pd.DataFrame, missing: str) -> pd.DataFrame:
    """Return the words that are one entry each, once per set and key.

    Args:
        found: see `find_words`.
        missing: `stop`, or `skip` to leave out words that are not one entry, or an entry's second word.

    Raises:
        VocabularyError: words are missing or read as one entry, and `missing` is stop; or a list has
            no word that is one entry.
    """
    for (name, key), words in found.groupby(["set", "key"], sort=False):
        place, gone = f"directions.{name}.{key}", words[words["id"] < 0]
        same = words[(words["id"] >= 0) & words["id"].duplicated(keep=False)]
        if len(gone) and missing == "stop":
            names = ", ".join(f"{row.listed!r} ({row.pieces})" for row in gone.itertuples())
            raise VocabularyError(
                f"{place}: not one entry of the model's vocabulary: {names}; "
                "set missing.words: skip to leave them out"
            )
        if len(same) and missing == "stop":
            names = ", ".join(f"{row.listed!r} ({row.word})" for row in same.itertuples())
            raise VocabularyError(
                f"{place}: several words are read as one entry: {names}; "
                "set missing.words: skip to keep one of them"
            )
        if len(gone) == len(words):
            raise VocabularyError(
                f"{place}: none of the words is one entry of the model's vocabulary"
            )
    kept = found[found["id"] >= 0].drop_duplicates(["set", "key", "id"])
    return kept.reset_index(drop=True)


def make_directions(
    name: str,
    of: dict,
    layer: int,
    width: int,
    words: pd.DataFrame | None,
    candidates: np.ndarray,
    activations: Activations,
    seed: int,
) -> pd.DataFrame:
    """Make the directions of a set at one layer.

    Args:
        name: the set's name.
        of: the set as declared.
        layer: the layer.
        width: the number of neurons of the set's site.
        words: the words that sets name, see `usable_words`; None if this set names none.
        candidates: ids of the words whose principal components are meant.
        activations: the activations at the set's site and this layer, whatever the study seeks.
        seed: seed of random directions.

    Returns:
        A row per direction: `set`, `site`, `layer`, `name` (`set/layer`, and what tells the set's
        directions apart), `word` (whose activations they are; empty for other kinds), `vector`, of unit
        length.

    Raises:
        RequestError: a vector is zero or not finite, or the file cannot be used.
    """
    kind = kind_of(of)
    if kind == "file":
        found = rows_in(of["file"])
    elif kind == "random":
        found = _numbered("random", orthonormal(width, of[kind], layer, of["site"], seed))
    elif kind == "principal":
        found = _numbered("pc", leading_components(activations(candidates), of[kind]))
    elif kind == "words":
        means = [_mean(words, name, key, activations) for key in ("words", "minus")]
        between = f"directions.{name}: the difference of the means of words and minus"
        found = {"": unit_direction(means[0] - means[1], between)}
    else:
        own = words[(words["set"] == name) & (words["key"] == kind)]
        by_word = zip(own["word"], activations(own["id"].to_numpy()), strict=True)
        found = {
            word: unit_direction(vector, f"directions.{name}: word {word!r}")
            for word, vector in by_word
        }
    return pd.DataFrame(
        {
            "set": name,
            "site": of["site"],
            "layer": layer,
            "name": [f"{name}/{layer}/{own}".removesuffix("/") for own in found],
            "word": list(found) if kind == "activations_of" else "",
            "vector": list(found.values()),
        }
    )


def _numbered(kind: str, vectors: np.ndarray) -> dict[str, np.ndarray]:
    return {f"{kind}{place}": vector for place, vector in enumerate(vectors, 1)}


def _mean(words: pd.DataFrame, name: str, key: str, activations: Activations) -> np.ndarray:
    own = words[(words["set"] == name) & (words["key"] == key)]
    return activations(own["id"].to_numpy()).astype(np.float64).mean(axis=0)
