"""Bases: directions of length 1 that are read in place of a layer's neurons.

A basis has one row per direction. An activation is the projection of what the neurons of the layer do
onto a row, so that rows are ascended on, ranked and grouped as neurons are.
"""

from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from textualization.analysis.direction_vectors import leading_components
from textualization.draws import generator
from textualization.models.model import Model
from textualization.models.null_models import random_rotation
from textualization.models.row_files import SUFFIX, check_shapes, row_shapes
from textualization.models.transformer import Tap


def basis_rows(
    basis: str, model: Model, site: str, words: np.ndarray, seed: int
) -> dict[Tap, np.ndarray]:
    """Make the rows of a basis for every layer of a site.

    Args:
        basis: `principal` (see `principal_rows`), `differences` (see `difference_rows`; as many as the
            layer is wide), `random` (orthogonal, uniformly distributed, of either sign; the same for all
            models of a shape), or a file of rows (see `read_rows`).
        model: the model, or a null model, whose activations are taken.
        site: `output` or `intermediate`.
        words: ids of the words whose activations make a basis, (n,).
        seed: seed of `random` and `differences`.

    Returns:
        By tap, (k, width), float64. A layer that a file leaves out has no rows.

    Raises:
        ValueError: there are too few words, a row has no direction, or the file cannot be used.
    """
    taps = [Tap(site, layer) for layer in range(1, model.layers + 1)]
    if basis.endswith(SUFFIX):
        return read_rows(basis, taps, model.width(site))

    def rows(tap: Tap) -> np.ndarray:
        dice = generator(seed, "basis", basis, *tap)
        if basis == "random":
            return unit_rows(random_rotation(model.units(tap), dice))
        activations = model.word_activations(words, [tap])[tap]
        if basis == "principal":
            return principal_rows(activations)
        return difference_rows(activations, activations.shape[1], dice)

    # A layer at a time: the activations of all words may not fit into memory.
    return {tap: rows(tap) for tap in taps}


def principal_rows(activations: np.ndarray) -> np.ndarray:
    """Compute all principal components of activations, that of the largest variance first.

    The largest entry of each is positive. Behind a LayerNorm the last one has no variance.

    Args:
        activations: (n, width).

    Returns:
        (width, width), float64, orthonormal rows.

    Raises:
        ValueError: there are no more words than neurons, so that some components are arbitrary.
    """
    n, width = activations.shape
    if n <= width:
        raise ValueError(f"{n} words have fewer than {width} principal components")
    return leading_components(activations, width)


def difference_rows(activations: np.ndarray, count: int, dice: np.random.Generator) -> np.ndarray:
    """Draw pairs of different words, and return the differences of their activations.

    A row points from the second word drawn to the first.

    Args:
        activations: (n, width).
        count: the number of pairs.
        dice: draws the pairs.

    Returns:
        (count, width), float64, length 1.

    Raises:
        ValueError: there is one word only, or two words have the same activations.
    """
    n = len(activations)
    if n < 2:
        raise ValueError("differences of words need at least two words")
    first = dice.integers(n, size=count)
    second = (first + 1 + dice.integers(n - 1, size=count)) % n
    activations = activations.astype(np.float64)
    return unit_rows(activations[first] - activations[second])


def read_rows(path: str | Path, taps: list[Tap], width: int) -> dict[Tap, np.ndarray]:
    """Read a basis from a file, such as the features of a dictionary.

    Args:
        path: a `.safetensors` file with a tensor `site/layer`, (k, width), for one or more layers.
        taps: all layers of a site.
        width: the width of the site.

    Returns:
        By tap, (k, width), float64, scaled to length 1. k is 0 for layers without a tensor.

    Raises:
        ValueError: the file cannot be read, has no tensor of the site, or one of another shape, or a row
            is 0 or not finite.
    """
    counts = check_shapes(path, row_shapes(path), taps[0].site, len(taps), width)
    try:
        with safe_open(path, framework="pt") as file:
            # By way of torch: numpy has no bfloat16.
            found = {
                tap: file.get_tensor(f"{tap.site}/{tap.layer}").double().numpy()
                if counts[tap.layer]
                else np.empty((0, width))
                for tap in taps
            }
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path} cannot be read ({error})") from None
    for tap, rows in found.items():
        if not np.isfinite(rows).all() or not rows.any(axis=1).all():
            raise ValueError(f"{path}: {tap.site}/{tap.layer} has a row that is 0 or not finite")
    return {tap: unit_rows(rows) for tap, rows in found.items()}


def read_in(model: Model, rows: dict[Tap, np.ndarray]) -> Model:
    """Return the model with the rows of a basis read as neurons.

    Args:
        model: the model. If it is read in a basis already, rows are directions in that basis.
        rows: by tap, (k, number of neurons).
    """
    tensors = dict(model.tensors)
    for (site, layer), of_layer in rows.items():
        name, basis = f"basis.{site}.{layer}", torch.from_numpy(of_layer)
        tensors[name] = basis @ tensors[name].double() if name in tensors else basis
    return Model(
        tensors,
        model.facts,
        model.words,
        model.tokenizer,
        name=model.name,
        read=model.read,
        context=model.context,
        place=model.place,
        seek=model.seek,
        device=model.device,
        dtype=model.dtype,
    )


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Scale rows to length 1, float64.

    Raises:
        ValueError: a row is 0.
    """
    rows = rows.astype(np.float64)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    if not length.all():
        raise ValueError("a row of the basis is 0, and has no direction")
    return rows / length
