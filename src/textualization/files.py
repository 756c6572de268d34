"""Atomic writes: a file is either complete or absent."""

import glob
import hashlib
import os
import socket
from contextlib import contextmanager
from pathlib import Path

import numpy as np


@contextmanager
def atomic(path: str | Path):
    """Yield a temporary path in the folder of `path`; rename it to `path` if the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_partial(path)
    # Processes of two machines that share the folder may have the same id.
    partial = path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}.partial")
    try:
        yield partial
        # Some writers make their files readable by the owner only; results are shared.
        mask = os.umask(0)
        os.umask(mask)
        partial.chmod(0o666 & ~mask)
        partial.replace(path)
    except Exception as error:
        # A writer's own error ("No space left on device") may not name the file.
        first = _first(error)
        error.add_note(
            f"while writing {path}" + (f" (first error: {first})" if first is not error else "")
        )
        raise
    finally:
        partial.unlink(missing_ok=True)


def _first(error: BaseException) -> BaseException:
    """Return the first error of a chain: a writer's clean-up may raise another one."""
    while error.__context__ is not None:
        error = error.__context__
    return error


def _remove_partial(path: Path) -> None:
    """Remove the partial files that killed processes of this machine left for `path`."""
    begins, ends = f".{path.name}.{socket.gethostname()}-", ".partial"
    for left in path.parent.glob(f"{glob.escape(begins)}*{ends}"):
        number = left.name.removeprefix(begins).removesuffix(ends)
        if number.isdigit() and not _alive(int(number)):
            left.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)  # signal 0 only tests whether the process exists
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's process
    return True


def sha256(*paths: str | Path) -> str:
    """Return the SHA-256 of a file, or of several files end to end, as hexadecimal digits."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as stream:
            hashlib.file_digest(stream, lambda: digest)
    return digest.hexdigest()


def write_text(text: str, path: str | Path) -> None:
    """Write a text file in UTF-8."""
    with atomic(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_table(table, path: str | Path) -> None:
    """Write a pandas table as Parquet."""
    with atomic(path) as partial:
        table.to_parquet(partial, index=False)


@contextmanager
def mapped_array(path: str | Path, shape: tuple[int, ...], dtype):
    """Yield an array that is mapped to disk; it becomes the file `path` if the block succeeds.

    Raises:
        OSError: the disk has no room for the array. Without this check, a later write to the map
            would kill the process.
    """
    with atomic(path) as partial:
        array = np.lib.format.open_memmap(partial, mode="w+", dtype=dtype, shape=shape)
        if hasattr(os, "posix_fallocate"):  # not on macOS
            with partial.open("r+b") as stream:
                os.posix_fallocate(stream.fileno(), 0, partial.stat().st_size)
        yield array
        array.flush()


def write_array(array: np.ndarray, path: str | Path) -> None:
    """Write an array as a .npy file, which can be memory-mapped."""
    with atomic(path) as partial, partial.open("wb") as stream:
        np.save(stream, array)
