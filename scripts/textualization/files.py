"""Atomic writes: a file is there whole, or not at all."""

import glob
import hashlib
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
    _tidy(path)
    # Two machines that share the folder may have processes of one number.
    partial = path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}.partial")
    try:
        yield partial
        # Some writers keep their files to themselves; a study is to be shared.
        mask = os.umask(0)
        os.umask(mask)
        partial.chmod(0o666 & ~mask)
        partial.replace(path)
    except Exception as error:
        # Writers say that the disk is full, and not which file they were at.
        first = _first(error)
        error.add_note(
            f"while writing {path}" + (f", after: {first}" if first is not error else "")
        )
        raise
    finally:
        partial.unlink(missing_ok=True)


def _first(error: BaseException) -> BaseException:
    """What went wrong first: writers fall over their own tidying up."""
    while error.__context__ is not None:
        error = error.__context__
    return error


def _tidy(path: Path) -> None:
    """Remove what processes of this machine that were killed left half written of a file."""
    begins, ends = f".{path.name}.{socket.gethostname()}-", ".partial"
    for left in path.parent.glob(f"{glob.escape(begins)}*{ends}"):
        number = left.name.removeprefix(begins).removesuffix(ends)
        if number.isdigit() and not _alive(int(number)):
            left.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)  # signal 0 asks, and does nothing
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    return True


def sha256(path: str | Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_text(text: str, path: str | Path) -> None:
    with atomic(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_table(table, path: str | Path) -> None:
    """Write a pandas table as Parquet."""
    with atomic(path) as partial:
        table.to_parquet(partial, index=False)


@contextmanager
def mapped_array(path: str | Path, shape: tuple[int, ...], dtype):
    """Yield an array that is filled on disk, not in memory; it becomes `path` if the block ends well.

    Raises OSError at once if the disk has no room for it: writing to a map would kill the process.
    """
    with atomic(path) as partial:
        array = np.lib.format.open_memmap(partial, mode="w+", dtype=dtype, shape=shape)
        if hasattr(os, "posix_fallocate"):  # not on macOS
            with partial.open("r+b") as stream:
                os.posix_fallocate(stream.fileno(), 0, partial.stat().st_size)
        yield array
        array.flush()


def write_array(array: np.ndarray, path: str | Path) -> None:
    """Write an array as .npy, which can be memory-mapped."""
    with atomic(path) as partial, partial.open("wb") as stream:
        np.save(stream, array)
