"""Vectors of directions: differences, principal components, random ones, rows of a file."""

from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from textualization.direction_files import names_in
from textualization.draws import generator
from textualization.errors import RequestError
from textualization.models.row_files import SUFFIX


def unit_direction(vector: np.ndarray, of: str) -> np.ndarray:
    """Scale a vector to length 1, float64.

    Args:
        vector: (width,).
        of: what the vector is, for the message.

    Raises:
        RequestError: it is zero, or not finite.
    """
    vector = np.asarray(vector, dtype=np.float64)
    if not np.isfinite(vector).all() or not vector.any():
        raise RequestError(f"{of} is zero or not finite: no direction")
    return vector / np.linalg.norm(vector)


def leading_components(activations: np.ndarray, count: int) -> np.ndarray:
    """Compute principal components, those of the largest variance first, (count, width).

    Args:
        activations: of words, (words, width).
        count: the number of components. The largest entry of each is positive.
    """
    a = activations.astype(np.float64)
    centred = a - a.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    found = vectors.T[::-1][:count]
    largest = np.abs(found).argmax(axis=1)
    return found * np.sign(found[np.arange(count), largest])[:, None]


def orthonormal(width: int, count: int, layer: int, site: str, seed: int) -> np.ndarray:
    """Draw random directions at right angles to each other, (count, width)."""
    dice = generator(seed, "directions", site, layer)
    q, r = np.linalg.qr(dice.standard_normal((count, width)).T)
    # With these signs the directions are distributed uniformly (Mezzadri 2007, math-ph/0609050).
    return (q * np.sign(r.diagonal())).T


def rows_in(path: str | Path) -> dict[str, np.ndarray]:
    """Read the directions of a file, of unit length, float64, by the names of `names_in`.

    Raises:
        RequestError: as of `names_in`; or a row is zero or not finite.
    """
    names, path = names_in(path), Path(path)
    try:
        arrays = (
            load_file(path)
            if path.suffix == SUFFIX
            else {path.stem: np.load(path, allow_pickle=False)}
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise RequestError(f"path: {path} cannot be read ({error})") from None
    return {
        own: unit_direction(
            arrays[name] if row is None else arrays[name][row], f"path: {path}: {own}"
        )
        for own, (name, row) in names.items()
    }
