"""Whether files are as they were written: a checksum beside each, compared before it is read.

A file's record is `.sha256/<name>` in its folder, in the form that `sha256sum --check` reads.
"""

import os
from pathlib import Path

from textualization.files import sha256, write_text

#: The folder of the records.
RECORDS = ".sha256"


class DamagedError(RuntimeError):
    """A file is not as it was written."""


def record(paths) -> None:
    """Keep the checksums of files as they are now."""
    for path in map(Path, paths):
        write_text(f"{sha256(path)}  {_real_name(path)}\n", _place(path))


def forget(paths) -> None:
    """Remove the records of files that are about to be written anew."""
    for path in map(Path, paths):
        _place(path).unlink(missing_ok=True)


def check(paths) -> None:
    """Compare files with their records; those without one pass.

    Raises DamagedError, naming every file that is not as it was written.
    """
    damaged = [str(path) for path in map(Path, paths) if not _as_recorded(path)]
    if damaged:
        names = " ".join(damaged)
        raise DamagedError(
            f"not as written (cut short, changed, or by a failing disk): {', '.join(damaged)}\n"
            f"To make it again: rm {names}, and run snakemake again with the same options, and with "
            f"`-- {names}` after them if nothing else needs it"
        )


def recorded(path: str | Path) -> str:
    """The checksum that a file was recorded with; its own now if there is no record."""
    path = Path(path)
    return _place(path).read_text("utf-8").split(" ", 1)[0] if has_record(path) else sha256(path)


def has_record(path: str | Path) -> bool:
    """Whether there is a record of what a file is now: one that a link led elsewhere is another's."""
    try:
        _, name = _place(Path(path)).read_text(encoding="utf-8").removesuffix("\n").split("  ", 1)
    except (FileNotFoundError, ValueError):
        return False
    return name == _real_name(Path(path))


def _as_recorded(path: Path) -> bool:
    return not has_record(path) or _place(path).read_text("utf-8").startswith(sha256(path) + " ")


def _place(path: Path) -> Path:
    return path.parent / RECORDS / path.name


def _real_name(path: Path) -> str:
    """Where a file lies, as its folder sees it: of a link to a cache, the file in the cache."""
    return os.path.relpath(os.path.realpath(path), os.path.realpath(path.parent))
