"""Atomic writes: a file is there whole, or not at all."""

import os
import socket
from contextlib import contextmanager
from pathlib import Path

import numpy as np


@contextmanager
def atomic(path: str | Path):
    """Yield a temporary path beside `path`; rename it to `path` if the block ends well."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two machines that share the folder may have processes of one number.
    partial = path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}.partial")
    try:
        yield partial
        # Some writers keep their files to themselves; a study is to be shared.
        mask = os.umask(0)
        os.umask(mask)
        partial.chmod(0o666 & ~mask)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(text: str, path: str | Path) -> None:
    with atomic(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_table(table, path: str | Path) -> None:
    """Write a pandas table as Parquet."""
    with atomic(path) as partial:
        table.to_parquet(partial, index=False)


def write_array(array: np.ndarray, path: str | Path) -> None:
    """Write an array as .npy, which can be memory-mapped."""
    with atomic(path) as partial, partial.open("wb") as stream:
        np.save(stream, array)
