"""Weights in shards: several files of tensors, and an index that names the shard of every tensor.

Large libraries are imported on use, since every parse of the Snakefile imports this module.
"""

import json
from pathlib import Path

from textualization.errors import ModelFileError

#: An index is called like the file of weights that it stands for, with this ending.
INDEX = ".index.json"


def shard_names(index: Path) -> list[str]:
    """Return the names of an index's shards, sorted; raise ModelFileError if it names none."""
    return sorted(set(_shard_of_each(index).values()))


def check_shards(index: Path, shards: dict[str, Path]) -> None:
    """Check that shards have exactly the tensors that their index names; read no weights.

    Args:
        index: the index.
        shards: the path of every shard, a safetensors file, by the name that the index uses.

    Raises:
        ModelFileError: a shard cannot be read, lacks a tensor, or has one too many.
    """
    from safetensors import SafetensorError, safe_open

    shard_of_each = _shard_of_each(index)
    for name, path in shards.items():
        try:
            with safe_open(path, framework="numpy") as shard:
                found = set(shard.keys())
        except (SafetensorError, OSError) as error:
            raise ModelFileError(name, f"cannot be read ({error})") from None
        named = {tensor for tensor, place in shard_of_each.items() if place == name}
        for tensor in sorted(named - found):
            raise ModelFileError(name, f"has no tensor {tensor!r}, which {index.name} names there")
        for tensor in sorted(found - named):
            raise ModelFileError(
                name, f"has a tensor {tensor!r}, which {index.name} does not name there"
            )


def join_shards(index: Path, shards: dict[str, Path], weights: str | Path) -> None:
    """Write the tensors of all shards as one safetensors file; see `check_shards`."""
    from safetensors import safe_open
    from safetensors.torch import save_file

    check_shards(index, shards)
    tensors = {}
    for path in shards.values():
        # The tensors stay mapped to their files, so that memory need not hold the model.
        with safe_open(path, framework="pt") as shard:
            tensors |= {name: shard.get_tensor(name) for name in shard.keys()}  # noqa: SIM118
    save_file(tensors, weights, metadata={"format": "pt"})


def _shard_of_each(index: Path) -> dict[str, str]:
    """Return the name of every tensor's shard."""
    try:
        shard_of_each = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        names = set(shard_of_each.values())
        # A path would lead out of the model's folder.
        valid = names and all(isinstance(n, str) and n == Path(n).name for n in names)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        valid = False
    if not valid:
        raise ModelFileError(
            index.name, "is not an index of shards: its weight_map names no file for every tensor"
        )
    return shard_of_each
