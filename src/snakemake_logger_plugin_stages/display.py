"""Stages for people: live lines on a terminal, plain lines in a file or pipe."""

import os
import sys
import threading
import time
from typing import TextIO

from snakemake_logger_plugin_stages.stages import Stages, State, duration

#: Seconds between plain lines while no stage ends.
PAUSE = 60


def described(state: State) -> str:
    """Return a stage's state as one line."""
    share = "" if state.share is None else f" {state.share:.0%}"
    return f"{state.title}{share} ({_standing(state)})"


def _standing(state: State) -> str:
    jobs = f"{state.ended} of {state.total} jobs" if state.total else f"{state.ended} jobs"
    jobs = "" if state.total == 1 and state.note else jobs
    left = "" if state.left is None else f"about {duration(state.left)} left"
    return ", ".join(part for part in (jobs, state.note, left) if part)


def display(stages: Stages, live: bool = True) -> "PlainLines | LiveLines":
    """Show stages on stderr: live if it is a terminal that can move its cursor, unless told not to."""
    live = live and sys.stderr.isatty() and os.environ.get("TERM") not in (None, "dumb", "unknown")
    return LiveLines(stages) if live else PlainLines(stages, sys.stderr)


class PlainLines:
    """Lines for a file or pipe: what is said, and after a pause what is running."""

    def __init__(self, stages: Stages, stream: TextIO, pause: float = PAUSE):
        self._stages, self._stream, self._pause = stages, stream, pause
        self._said, self._closed = time.monotonic(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def say(self, text: str) -> None:
        """Print lines."""
        self._said = time.monotonic()
        print(text, file=self._stream, flush=True)

    def refresh(self) -> None:
        """Do nothing: lines of a file do not move."""

    def close(self) -> None:
        """Stop watching."""
        self._closed.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._closed.wait(self._said + self._pause - time.monotonic()):
            if time.monotonic() - self._said < self._pause:
                continue
            running = "; ".join(map(described, self._stages.states(time.time())))
            self._said = time.monotonic()
            if running:
                self.say(f"running: {running}; {self._stages.ended} of {self._stages.total} jobs")


class LiveLines:
    """Lines of a terminal: what is said stays, and below it moves a line per running stage.

    What jobs print would tear these lines. So it goes through a pipe, and is said too.
    """

    def __init__(self, stages: Stages):
        from rich.console import Console
        from rich.live import Live

        self._stages, self._began = stages, time.monotonic()
        self._kept = {number: os.dup(number) for number in (1, 2) if os.isatty(number)}
        end, pipe = os.pipe()
        for number in self._kept:
            os.dup2(pipe, number)
        os.close(pipe)
        self._terminal = os.fdopen(os.dup(self._kept[2]), "w", errors="backslashreplace")
        self._console = Console(file=self._terminal, highlight=False, markup=False, emoji=False)
        self._live = Live(
            console=self._console,
            get_renderable=self._lines,
            refresh_per_second=1,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._reader = threading.Thread(target=self._read, args=(end,), daemon=True)
        self._reader.start()
        self._live.start()

    def say(self, text: str) -> None:
        """Print lines above those that move."""
        self._console.print(text, soft_wrap=True)

    def refresh(self) -> None:
        """Draw the lines that move now: a short stage would begin and end between two drawings."""
        self._live.refresh()

    def close(self) -> None:
        """Remove the lines that move, and give the terminal back."""
        sys.stdout.flush()
        sys.stderr.flush()
        for number, terminal in self._kept.items():
            os.dup2(terminal, number)
            os.close(terminal)
        self._reader.join(timeout=1)  # a job that was left behind may hold the pipe
        self._live.stop()
        self._terminal.flush()

    def _read(self, end: int) -> None:
        with os.fdopen(end, encoding="utf-8", errors="replace") as stream:
            for line in stream:
                self.say(line.rstrip("\n"))

    def _lines(self):
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        lines = Table.grid(padding=(0, 2))
        for _ in range(4):
            lines.add_column(no_wrap=True)
        for state in self._stages.states(time.time()):
            bar = ProgressBar(total=1, completed=state.share or 0, width=24)
            share = "" if state.share is None else f"{state.share:4.0%}"
            lines.add_row(state.title, bar, share, _standing(state))
        if total := self._stages.total:
            done, spent = self._stages.ended, duration(time.monotonic() - self._began)
            bar = ProgressBar(total=total, completed=done, width=24)
            lines.add_row(
                "all stages", bar, f"{done / total:4.0%}", f"{done} of {total} jobs, {spent}"
            )
        return lines
