"""What Snakemake has to be told so that nothing changes without its notice.

It compares dates, and contents where a date is new; and it knows the settings of finished jobs from its
own folder alone. So an edit that came with an old date (`cp -p`, `rsync -a`, an unpacked archive), and
settings that changed after that folder was lost, would pass in silence. Light: imported whenever the
Snakefile is parsed.
"""

import contextlib
import json
import os
import time
import uuid
from pathlib import Path

import yaml

from textualization.errors import SettingsError
from textualization.files import sha256, write_text
from textualization.settings import differing, in_order

#: Of a study's results, and of Snakemake's folder beside them: both hold the same.
ID = ".study-id"
#: A clock may be wrong by this many seconds.
SLACK = 24 * 3600


def date_by_content(paths, state: Path) -> None:
    """Give files today's date whose content is not what it was when they were last looked at.

    state: where contents are kept. A file that is not there is left to whoever needs it.
    Raises SettingsError for a changed file that cannot be given a date.
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
                    f"{path} has changed, but has an old date, and cannot be given a new one "
                    f"({error.strerror}): what is made of it would not be made again"
                ) from None
            dates = _dates(path)
        seen[str(path)] = [*dates, content]
    if seen != known:
        with contextlib.suppress(OSError):  # a checkout that can only be read does not change
            write_text(json.dumps(seen, indent=1), state)


def _dates(path: Path) -> list[int]:
    """What changes with a file: dates of its content and of itself (which no tool sets), its size."""
    facts = path.stat()
    return [facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size]


def check_memory(results: Path, memory: Path, settings: dict) -> None:
    """Compare a study's results with what Snakemake remembers of them.

    results: the study's folder. memory: the folder where Snakemake's own memory of it is marked.
    Raises SettingsError if nothing is remembered of results that were made with other settings, and
    for results of the future, which no edit would seem newer than.
    """
    kept = results / "config.yaml"
    if kept.is_file() and kept.stat().st_mtime > time.time() + SLACK:
        raise SettingsError(
            f"{kept} is dated in the future: no change would seem newer. Set the clock, or date the "
            f"results now: find {results} -exec touch {{}} +"
        )
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
    told = f"with other settings ({keys})" if keys else "in part"
    raise SettingsError(
        f"study: {results} was made {told}, and nothing is remembered here of how (the folder "
        ".snakemake is new): its files would be taken for results of these settings. Give the study "
        f"another name, or rm -r {results}"
    )


def mark_memory(results: Path, memory: Path) -> None:
    """Say that from now on Snakemake remembers how this study's results are made."""
    mark = _read(results / ID) or uuid.uuid4().hex
    for path in (results / ID, memory / results.name):
        if _read(path) != mark:
            write_text(mark + "\n", path)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
