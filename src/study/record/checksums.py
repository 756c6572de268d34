"""Checksums of files: stored when a file is written, compared before it is read.

A file's checksum is stored in `.sha256/<name>` in its folder, in the format of `sha256sum --check`.
"""

import os
from pathlib import Path

from textualization.files import sha256, write_text

#: Name of the folders of checksums.
RECORDS = ".sha256"


class DamagedError(RuntimeError):
    """A file differs from its stored checksum."""


def record(paths) -> None:
    """Store the checksums of files."""
    for path in map(Path, paths):
        write_text(f"{sha256(path)}  {_real_name(path)}\n", _checksum_file(path))


def forget(paths) -> None:
    """Remove the stored checksums of files that are about to be rewritten."""
    for path in map(Path, paths):
        _checksum_file(path).unlink(missing_ok=True)


def check(paths) -> None:
    """Compare files with their stored checksums; files without one pass.

    Raises:
        DamagedError: files differ from their checksums; the message lists them.
    """
    damaged = [str(path) for path in map(Path, paths) if not _matches(path)]
    if damaged:
        names = " ".join(damaged)
        raise DamagedError(
            f"wrong checksum (truncated, changed, or damaged by the disk): {', '.join(damaged)}\n"
            f"To recreate: rm {names}, then run snakemake again with the same options, followed by "
            f"`-- {names}` if nothing else needs it"
        )


def recorded(path: str | Path) -> str:
    """Return a file's stored checksum, or compute it if none is stored."""
    path = Path(path)
    if not has_record(path):
        return sha256(path)
    return _checksum_file(path).read_text("utf-8").split(" ", 1)[0]


def has_record(path: str | Path) -> bool:
    """Tell whether a file has a stored checksum; a link whose target has changed has none."""
    try:
        text = _checksum_file(Path(path)).read_text(encoding="utf-8")
        _, name = text.removesuffix("\n").split("  ", 1)
    except (FileNotFoundError, ValueError):
        return False
    return name == _real_name(Path(path))


def _matches(path: Path) -> bool:
    return not has_record(path) or recorded(path) == sha256(path)


def _checksum_file(path: Path) -> Path:
    return path.parent / RECORDS / path.name


def _real_name(path: Path) -> str:
    """Return a file's path relative to its folder, with links resolved."""
    return os.path.relpath(os.path.realpath(path), os.path.realpath(path.parent))
