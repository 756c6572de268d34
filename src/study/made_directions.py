"""The directions of a study's sets, made of a model's word activations, of a file, or at random."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from study.config.direction_sets import kind_of
from study.stated_words import look_up, usable
from textualization.analysis.direction_vectors import (
    leading_components,
    orthonormal,
    rows_in,
    unit_direction,
)
from textualization.models.vocabulary import WordLookup

#: Returns the activations of words, given by their ids, at one site and layer: (words, width).
Activations = Callable[[np.ndarray], np.ndarray]


def find_words(named: dict[str, dict[str, list[str]]], lookup: WordLookup) -> pd.DataFrame:
    """Look up the words that sets of directions name.

    Args:
        named: words by set and key, see `study.config.direction_sets.words_of`.
        lookup: the vocabulary.

    Returns:
        A row per word: `set`, `key`, and the columns of `study.stated_words.look_up`.
    """
    found = [
        look_up(words, lookup).assign(set=name, key=key)
        for name, keys in named.items()
        for key, words in keys.items()
    ]
    return pd.concat(found, ignore_index=True)[["set", "key", "listed", "id", "word", "pieces"]]


def usable_words(found: pd.DataFrame, missing: str) -> pd.DataFrame:
    """Return the words that are one entry each, once per set and key.

    Args:
        found: see `find_words`.
        missing: `stop` or `skip`, see `study.stated_words.usable`.

    Raises:
        VocabularyError: see `study.stated_words.usable`.
    """
    kept = [
        usable(words, f"directions.{name}.{key}", missing)
        for (name, key), words in found.groupby(["set", "key"], sort=False)
    ]
    return pd.concat(kept).sort_index().reset_index(drop=True)


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
