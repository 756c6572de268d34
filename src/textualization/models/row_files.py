"""Shapes of the files of rows that are read in place of neurons. Loads fast: settings need it.

Such a file is a `.safetensors` file with a tensor `site/layer`, (k, width), for one or more layers.
"""

import json
from pathlib import Path

#: How the name of a file of rows ends.
SUFFIX = ".safetensors"


def tensors_in(path: str | Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return the kind of numbers, such as F32, and the shape of a file's tensors by name.

    Raises:
        ValueError: the file cannot be read.
    """
    # Only the header, by its definition: 8 bytes of length, then JSON.
    try:
        with Path(path).open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > Path(path).stat().st_size:
                raise ValueError("it is no safetensors file")
            header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        return {name: (of["dtype"], tuple(of["shape"])) for name, of in header.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} cannot be read ({error})") from None


def row_shapes(path: str | Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a file's tensors by name; raise ValueError if it cannot be read."""
    return {name: shape for name, (_, shape) in tensors_in(path).items()}


def check_shapes(
    path: str | Path, shapes: dict[str, tuple[int, ...]], site: str, layers: int, width: int
) -> dict[int, int]:
    """Check that a file's tensors are rows for a site.

    Args:
        path: the file, for messages.
        shapes: see `row_shapes`.
        site, layers, width: the site, the number of layers, and of neurons in each.

    Returns:
        By layer, the number of rows; 0 for layers without a tensor.

    Raises:
        ValueError: no tensor is of these layers, or one has another shape.
    """
    names = {layer: f"{site}/{layer}" for layer in range(1, layers + 1)}
    if not set(names.values()) & set(shapes):
        raise ValueError(
            f"{path} has no tensor of a layer (allowed: {names[1]} to {names[layers]})"
        )
    found = {layer: shapes.get(name, (0, width)) for layer, name in names.items()}
    for layer, shape in found.items():
        if len(shape) != 2 or shape[1] != width or (names[layer] in shapes and not shape[0]):
            raise ValueError(
                f"{path}: {names[layer]} has the shape {shape} (allowed: (k, {width}))"
            )
    return {layer: shape[0] for layer, shape in found.items()}
