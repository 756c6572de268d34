"""How far a job is, by its log, to which the library and `study.job.in_turn` write it."""

import re
from pathlib import Path
from typing import NamedTuple

#: Lines of a log, after day and time: a part of the job, the steps of an ascent, an amount.
PART = re.compile(r"^\S+ \S+ (?P<what>[a-z]+) (?P<number>\d+) of (?P<count>\d+)\b", re.MULTILINE)
STEPS = re.compile(r"(?P<done>\d+) steps taken, at most (?P<left>\d+) left")
AMOUNT = re.compile(r"^\S+ \S+ (?P<done>\d+) of (?P<total>\d+) (?P<what>MB|words)$", re.MULTILINE)
#: Bytes read from the end of a log: an hour or more of an ascent.
TAIL = 2**16


class JobProgress(NamedTuple):
    """How far a job is.

    Args:
        share: share done, from 0 to 1; 0 if the log does not say.
        note: which part it is at, such as `piece 2 of 5`; may be empty.
    """

    share: float
    note: str


def read_progress(log: Path | None, since: float) -> JobProgress:
    """Read from a job's log how far it is.

    Args:
        log: path of the log.
        since: when the job began (seconds since the epoch). A log from before is another run's.

    Returns:
        The progress; none if there is no log yet.
    """
    try:
        if log is None or log.stat().st_mtime < since:
            return JobProgress(0.0, "")
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - TAIL))
            return progress_in(stream.read().decode("utf-8", errors="replace"))
    except OSError:
        return JobProgress(0.0, "")


def progress_in(text: str) -> JobProgress:
    """Find the progress in the text of a log. Parts may have parts, such as a replicate's conditions."""
    parts: list[re.Match] = []
    for part in PART.finditer(text):
        names = [above["what"] for above in parts]
        depth = names.index(part["what"]) if part["what"] in names else len(parts)
        parts[depth:] = [part]
    notes = [f"{part['what']} {part['number']} of {part['count']}" for part in parts]
    share, rest = 0.0, text[parts[-1].end() :] if parts else text
    if steps := _last(STEPS, rest):
        done, left = int(steps["done"]), int(steps["left"])
        share = done / max(done + left, 1)
    elif amount := _last(AMOUNT, rest):
        done, total = int(amount["done"]), int(amount["total"])
        share = min(done / max(total, 1), 1.0)
        notes.append(f"{done} of {total} {amount['what']}")
    for part in reversed(parts):
        share = (int(part["number"]) - 1 + share) / max(int(part["count"]), 1)
    return JobProgress(share, ", ".join(notes))


def _last(pattern: re.Pattern, text: str) -> re.Match | None:
    return next(reversed(list(pattern.finditer(text))), None)
