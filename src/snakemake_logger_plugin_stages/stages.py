"""The stages of a run: how many jobs of each rule have ended, how far the others are, the time left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from snakemake_logger_plugin_stages.progress import read_progress


class Job(NamedTuple):
    """A running job: its rule, its log, and when it began (seconds since the epoch)."""

    rule: str
    log: Path
    began: float


class State(NamedTuple):
    """The state of a stage at one moment.

    Args:
        title: the stage's name in words.
        ended: number of jobs that have ended.
        total: number of jobs; None if it is not known.
        share: share of the stage that is done, running jobs included; None if it is not known.
        left: seconds left; None if nothing has been measured yet.
        note: what the only running job is at, such as `piece 2 of 5`; may be empty.
    """

    title: str
    ended: int
    total: int | None
    share: float | None
    left: float | None
    note: str


@dataclass
class Stage:
    """The jobs of one rule; `total` is None if their number is not known in advance."""

    rule: str
    total: int | None = None
    seconds: list[float] = field(default_factory=list)
    running: dict[int, Job] = field(default_factory=dict)
    began: float | None = None

    @property
    def title(self) -> str:
        """The rule's name in words."""
        return self.rule.replace("_", " ")

    def state(self, now: float) -> State:
        """Return the state now, with what the running jobs' logs say."""
        jobs = list(self.running.values())
        found = [read_progress(job.log, since=job.began) for job in jobs]
        at = [(now - job.began, one.share) for job, one in zip(jobs, found, strict=True)]
        ended, share, left = list(self.seconds), None, None
        if self.total:
            share = min((len(ended) + sum(s for _, s in at)) / self.total, 1.0)
            left = seconds_left(self.total, ended, at)
        note = found[0].note if len(found) == 1 else ""
        return State(self.title, len(ended), self.total, share, left, note)


class Stages:
    """All stages of a run, in the order of the plan.

    Another thread may read them at any time, so it reads copies.
    """

    def __init__(self):
        self.total = 0
        self.ended = 0
        self._jobs: dict[int, Job] = {}
        self._stages: dict[str, Stage] = {}

    def plan(self, counts: Mapping[str, int]) -> None:
        """Note the number of jobs of every rule."""
        for rule, count in counts.items():
            self._stages[rule] = Stage(rule, count)
        self.total = sum(counts.values())

    def begin(self, job: int, rule: str, log: Path, now: float) -> None:
        """Note that a job began."""
        stage = self._stages.setdefault(rule, Stage(rule))
        stage.began = now if stage.began is None else stage.began
        self._jobs[job] = stage.running[job] = Job(rule, log, now)

    def end(self, job: int, now: float) -> Stage | None:
        """Note that a job ended; return its stage if that was the last job of it."""
        if job not in self._jobs:
            return None
        stage, began = self._leave(job)
        stage.seconds.append(now - began)
        self.ended += 1
        self.total = max(self.total, self.ended + len(self._jobs))
        return stage if len(stage.seconds) == stage.total else None

    def fail(self, job: int) -> Job | None:
        """Note that a job failed; return it."""
        failed = self._jobs.get(job)
        if failed:
            self._leave(job)
        return failed

    def states(self, now: float) -> list[State]:
        """Return the states of the stages with running jobs."""
        return [stage.state(now) for stage in list(self._stages.values()) if stage.running]

    def _leave(self, job: int) -> tuple[Stage, float]:
        rule, _, began = self._jobs.pop(job)
        del self._stages[rule].running[job]
        return self._stages[rule], began


def seconds_left(
    total: int, ended: Sequence[float], running: Sequence[tuple[float, float]]
) -> float | None:
    """Estimate a stage's time left from its own jobs of this run, since jobs of stages differ.

    Args:
        total: number of jobs.
        ended: seconds that each ended job took.
        running: seconds so far and share done of each running job; a share of 0 is not known.

    Returns:
        Seconds until the last job ends, if as many jobs go on at a time; None if no job has ended
        and no share is known.
    """
    known = [(seconds, share) for seconds, share in running if share > 0]
    amount = len(ended) + sum(share for _, share in known)
    if not running or not amount:
        return None
    each = (sum(ended) + sum(seconds for seconds, _ in known)) / amount
    own = [seconds * (1 - s) / s if s > 0 else max(each - seconds, 0) for seconds, s in running]
    waiting = (total - len(ended) - len(running)) * each
    return max(*own, (waiting + sum(own)) / len(running))


def duration(seconds: float) -> str:
    """Return a time in words, no finer than it is of use."""
    if seconds < 59.5:
        return f"{max(seconds, 1):.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def counted(number: int, thing: str) -> str:
    """Return a number of things in words: `1 job`, `2 jobs`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"
