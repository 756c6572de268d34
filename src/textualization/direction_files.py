"""The headers of files of directions: names and shapes, without the numbers.

Loads fast: the Snakefile imports this module.
"""

import ast
import re
from pathlib import Path

from textualization.errors import RequestError
from textualization.models.row_files import SUFFIX, tensors_in

#: Kinds of files, by suffix.
SUFFIXES = (SUFFIX, ".npy")
#: Kinds of numbers, as `.safetensors` files name them.
NUMBERS = ("F16", "F32", "F64", "I8", "I16", "I32", "I64")


def shapes_in(path: str | Path) -> dict[str, tuple[int, ...]]:
    """Read which arrays a file of directions holds.

    Args:
        path: a `.safetensors` file of named tensors, or a `.npy` file, whose array has the file's name.

    Returns:
        Shapes by name, each (width,) or (k, width).

    Raises:
        RequestError: the file is missing or of no known kind, or an array is not of this form.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise RequestError(f"path: {path} is of no known kind (allowed: {', '.join(SUFFIXES)})")
    try:
        found = tensors_in(path) if path.suffix == SUFFIX else _array(path)
    except ValueError as error:
        raise RequestError(f"path: {error}") from None
    for name, (kind, shape) in found.items():
        if kind not in NUMBERS:
            raise RequestError(f"path: {path}: {name} holds {kind} (allowed: {', '.join(NUMBERS)})")
        if len(shape) not in (1, 2) or 0 in shape:
            raise RequestError(
                f"path: {path}: {name} has the shape {shape} (allowed: (width,), (k, width))"
            )
    return {name: shape for name, (_, shape) in found.items()}


def names_in(path: str | Path) -> dict[str, tuple[str, int | None]]:
    """List the directions of a file.

    Args:
        path: see `shapes_in`.

    Returns:
        By the direction's name, its array and its row there (None: the array is the direction). The
        name is the array's; of several rows, `name/1` and so on.

    Raises:
        RequestError: as of `shapes_in`; there are none, or two have the same name.
    """
    rows = [
        (name, name, None) if len(shape) == 1 else (f"{name}/{row + 1}", name, row)
        for name, shape in shapes_in(path).items()
        for row in range(1 if len(shape) == 1 else shape[0])
    ]
    found = {own: (name, row) for own, name, row in rows}
    if not rows:
        raise RequestError(f"path: {path} is empty (allowed: one or more directions)")
    if len(found) < len(rows):
        names = [own for own, *_ in rows]
        twice = next(own for own in names if names.count(own) > 1)
        raise RequestError(f"path: {path} has two directions of the name {twice}")
    return found


def _array(path: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Read the header of a `.npy` file: magic bytes, version, length, then a Python dict."""
    try:
        with path.open("rb") as file:
            magic, version = file.read(6), file.read(2)
            if magic != b"\x93NUMPY":
                raise ValueError("it is no NumPy file")
            length = int.from_bytes(file.read(2 if version[0] == 1 else 4), "little")
            header = ast.literal_eval(file.read(length).decode("utf-8"))
        _, kind, size = re.fullmatch(r"(.)([a-z])(\d+)", str(header["descr"])).groups()
        return {path.stem: (f"{kind.upper()}{8 * int(size)}", tuple(header["shape"]))}
    except (OSError, ValueError, SyntaxError, KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"{path} cannot be read ({error})") from None
