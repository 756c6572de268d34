"""Directions to ascend on: from word activations, at random, or from a file.

All have unit length, so that an activation along them is a projection. A direction is
`(site, layer, vector)`, as `textualization.api.ascend` takes it.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from textualization.analysis.direction_vectors import (
    leading_components,
    orthonormal,
    rows_in,
    unit_direction,
)
from textualization.errors import RequestError, is_whole, require_choice
from textualization.models.model import Model
from textualization.models.transformer import SITES, Tap

Direction = tuple[str, int, np.ndarray]


def word_direction(model: Model, word: str, layer: int, site: str = "output") -> Direction:
    """Return the direction of a word's own activations: its optimum inverts them.

    Args:
        model: the model.
        word: one entry of the vocabulary.
        layer, site: where neurons are read.

    Raises:
        RequestError: the word is not one entry, or there is no such site or layer.
    """
    return _direction(site, layer, _mean(model, [word], layer, site), f"word {word!r}")


def word_difference(
    model: Model, words: Sequence[str], others: Sequence[str], layer: int, site: str = "output"
) -> Direction:
    """Return the direction from the mean activations of some words to those of other words.

    Args:
        model: the model.
        words: the words that the direction points to.
        others: the words that it points away from.
        layer, site: where neurons are read.

    Raises:
        RequestError: a list is empty, a word is not one entry, there is no such site or layer, or the
            means are equal.
    """
    for name, listed in (("words", words), ("others", others)):
        if isinstance(listed, str) or not len(listed):
            raise RequestError(f"{name}: {listed!r} is not valid (allowed: a list of words)")
    difference = _mean(model, words, layer, site) - _mean(model, others, layer, site)
    return _direction(site, layer, difference, "words, others: the difference of their means")


def principal_components(
    model: Model, count: int, layer: int, site: str = "output"
) -> dict[str, Direction]:
    """Return the principal components of the candidate words' activations.

    Args:
        model: the model, with its words.
        count: the number of components, those of the largest variance first.
        layer, site: where neurons are read.

    Returns:
        Directions by name, `site/layer/pc1` and so on. The largest entry of each is positive.

    Raises:
        RequestError: there is no such site or layer, or there are fewer components.
    """
    tap = _tap(model, layer, site)
    ids = np.flatnonzero(model.candidates)
    _check_count(count, min(model.width(site), len(ids) - 1))
    activations = model.word_activations(ids, [tap])[tap]
    return _named(site, layer, "pc", leading_components(activations, count))


def random_directions(
    model: Model, count: int, layer: int, site: str = "output", seed: int = 0
) -> dict[str, Direction]:
    """Draw random directions at right angles to each other.

    Args:
        model: the model.
        count: the number of directions, at most the width of the site.
        layer, site: where neurons are read.
        seed: seed of the draw.

    Returns:
        Directions by name, `site/layer/random1` and so on. More directions of a seed begin with the
        same ones.

    Raises:
        RequestError: there is no such site or layer, or there are too many directions.
    """
    _tap(model, layer, site)
    width = model.width(site)
    _check_count(count, width)
    return _named(site, layer, "random", orthonormal(width, count, layer, site, seed))


def read_directions(path: str | Path, layer: int, site: str = "output") -> dict[str, Direction]:
    """Read directions from a file.

    Args:
        path: a `.safetensors` file of named tensors, or a `.npy` file; each holds one direction,
            (width,), or several, (k, width).
        layer, site: where the directions are read. The file does not say.

    Returns:
        Directions by name: the tensor's name, or the file's. Of several, `name/1` and so on.

    Raises:
        RequestError: the file cannot be read, an array is not of this form or has a row of zeros, or
            two directions have the same name.
    """
    return {name: (site, layer, vector) for name, vector in rows_in(path).items()}


def _mean(model: Model, words: Sequence[str], layer: int, site: str) -> np.ndarray:
    """Return the mean activations of some words, (width,)."""
    tap = _tap(model, layer, site)
    found = model.word_activations([model.id_of(word) for word in words], [tap])[tap]
    return found.astype(np.float64).mean(axis=0)


def _tap(model: Model, layer: int, site: str) -> Tap:
    require_choice("site", site, SITES)
    if layer not in range(1, model.layers + 1):
        raise RequestError(
            f"layer: {layer!r} is not a layer of {model.name} (layers 1 to {model.layers})"
        )
    return Tap(site, layer)


def _check_count(count: int, most: int) -> None:
    if not is_whole(count) or not 1 <= count <= most:
        raise RequestError(f"count: {count!r} is not valid (allowed: 1 to {most})")


def _named(site: str, layer: int, kind: str, vectors: np.ndarray) -> dict[str, Direction]:
    return {
        f"{site}/{layer}/{kind}{place}": (site, layer, vector)
        for place, vector in enumerate(vectors, 1)
    }


def _direction(site: str, layer: int, vector: np.ndarray, of: str) -> Direction:
    """Return a direction of unit length."""
    return site, layer, unit_direction(vector, of)
