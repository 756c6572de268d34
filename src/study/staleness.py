"""Detection of changes that Snakemake would miss.

Snakemake compares contents only of files with a new date, and keeps the settings of finished jobs only
in its own folder. So it misses edits that keep an old date (`cp -p`, `rsync -a`, an unpacked archive),
and changes of settings after its folder was lost. Loads fast: the Snakefile imports this module.
"""

import contextlib
import json
import os
import tempfile
import time
import uuid
from pathlib import Path

import yaml

from study.config.settings import differing, in_order
from textualization.errors import SettingsError
from textualization.files import sha256, write_text

#: File with the id of a study's results; Snakemake's folder holds the same id.
ID = ".study-id"


def date_back(paths, folder: Path) -> list[Path]:
    """Date files of the future just before now, in their order.

    What is older than what stays as it is, so nothing is made again that would not be otherwise.

    Args:
        paths: the files, links among them; missing ones are skipped.
        folder: a folder of results. Its clock counts: a file server's may differ from this machine's.

    Returns:
        The files whose date has changed.

    Raises:
        SettingsError: the date of a file cannot be set.
    """
    now, ahead = _clock(folder), {}
    for path in map(Path, paths):
        for follow in (True, False):  # Snakemake reads the date of a link, too
            with contextlib.suppress(OSError):
                date = path.stat(follow_symlinks=follow).st_mtime_ns
                if date > now:
                    ahead[path, follow] = date
    places = {date: place for place, date in enumerate(sorted(set(ahead.values()), reverse=True))}
    for (path, follow), date in ahead.items():
        # Microseconds apart: Snakemake tells these apart.
        earlier = now - 1000 * (1 + places[date])
        try:
            os.utime(path, ns=(earlier, earlier), follow_symlinks=follow)
        except OSError as error:
            raise SettingsError(
                f"{path} is dated in the future, and its date cannot be set ({error.strerror}): "
                f"Snakemake would delete what is made of it. Set the clock, or: touch -h {path}"
            ) from None
    return list(dict.fromkeys(path for path, _ in ahead))


def _clock(folder: Path) -> int:
    """Return the date that a file written to a folder now would get, in nanoseconds."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as probe:
            return Path(probe.name).stat().st_mtime_ns
    except OSError:  # there is no such folder yet
        return time.time_ns()


def date_by_content(paths, state: Path) -> None:
    """Set the date of files to now if their content has changed since the last call.

    Args:
        paths: the files; missing ones are skipped.
        state: file that keeps the dates and checksums between calls.

    Raises:
        SettingsError: the date of a changed file cannot be set.
    """
    try:
        known = json.loads(state.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    seen = dict(known) if isinstance(known, dict) else {}
    for path in map(Path, paths):
        try:
            dates = _dates(path)
        except OSError:
            continue
        *before, old = seen.get(str(path)) or [None]
        if before == dates:
            continue
        content = sha256(path)
        if old and old != content:
            try:
                os.utime(path)
            except OSError as error:
                raise SettingsError(
                    f"{path} has changed, but has an old date that cannot be updated "
                    f"({error.strerror}): results that depend on it would not be updated"
                ) from None
            dates = _dates(path)
        seen[str(path)] = [*dates, content]
    if seen != known:
        with contextlib.suppress(OSError):  # a read-only checkout does not change
            write_text(json.dumps(seen, indent=1), state)


def _dates(path: Path) -> list[int]:
    """Return a file's modification time, status change time (which no tool can set) and size."""
    facts = path.stat()
    return [facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size]


def check_memory(results: Path, memory: Path, settings: dict) -> None:
    """Check that Snakemake knows how a study's results were made.

    Args:
        results: the study's folder.
        memory: the folder in Snakemake's own folder that holds the ids of studies.
        settings: the current settings.

    Raises:
        SettingsError: Snakemake has no record of results that were made with other settings.
    """
    kept = results / "config.yaml"
    mark = _read(results / ID)
    if not mark or mark == _read(memory / results.name):
        return
    try:
        before = yaml.safe_load(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        before = None
    if isinstance(before, dict) and in_order(before) == in_order(settings):
        return
    different = differing(in_order(settings), in_order(before)) if isinstance(before, dict) else []
    keys = ", ".join(different[:5])
    how = f"was made with other settings ({keys})" if keys else "is incomplete"
    raise SettingsError(
        f"study: {results} {how}, and Snakemake does not know how it was made (the folder .snakemake "
        "is new): it would take the files for results of the current settings. Give the study another "
        f"name, or rm -r {results}"
    )


def mark_memory(results: Path, memory: Path) -> None:
    """Mark a study's results as known to Snakemake, with the same id in both folders."""
    mark = _read(results / ID) or uuid.uuid4().hex
    for path in (results / ID, memory / results.name):
        if _read(path) != mark:
            write_text(mark + "\n", path)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
