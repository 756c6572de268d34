"""Show a run's stages instead of snakemake's own lines: `snakemake --logger stages`.

Snakemake finds the plugin by this package's name, and imports it before a Snakefile is read. It imports
nothing of `study` or `textualization`, which may be another checkout's at that time.
"""

import time
from logging import ERROR, WARNING, LogRecord
from pathlib import Path

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_stages.display import display
from snakemake_logger_plugin_stages.stages import Stages, counted, duration

#: How messages begin that are shown although nothing is wrong.
SHOWN = ("Nothing to be done", "Terminating", "Will exit", "Trying to restart", "Removing output")
SHOWN += ("Unlocked", "Creating conda", "Downloading and installing")
#: How a notice begins that Snakemake gives as a warning: `--cache` is for those who ask for it.
HIDDEN = "Workflow defines that rule"
#: The message that names Snakemake's own log, shown after an error.
LOG = "Complete log"


class LogHandler(LogHandlerBase):
    """Follows the jobs of a run by Snakemake's log records."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        self.stages, self.began, self.failed = Stages(), time.monotonic(), False
        self.named: dict[int, str] = {}
        self.closed = True
        self.lines = display(self.stages, live=not self.common_settings.dryrun)
        self.closed = False

    def emit(self, record: LogRecord) -> None:
        """Follow a record, and say what people should know of it."""
        event, message = getattr(record, "event", None), record.getMessage()
        self.failed |= record.levelno >= ERROR
        if event == LogEvent.RUN_INFO:
            counts = {rule: n for rule, n in record.stats.items() if rule not in ("total", "all")}
            self.stages.plan(counts)
            self.lines.say(
                f"{counted(self.stages.total, 'job')} of {counted(len(counts), 'stage')}"
            )
        elif event == LogEvent.JOB_INFO and record.log:
            values = ", ".join(f"{name}={value}" for name, value in record.wildcards.items())
            self.named[record.jobid] = f" ({values})" if values else ""
            log = Path(record.log[0])
            self.stages.begin(record.jobid, record.rule_name, log, record.created)
            self.lines.refresh()
        elif event == LogEvent.JOB_FINISHED:
            if stage := self.stages.end(record.job_id, record.created):
                spent, jobs = duration(record.created - stage.began), len(stage.seconds)
                self.lines.say(f"{stage.title}: {counted(jobs, 'job')}, {spent}")
        elif event == LogEvent.JOB_ERROR:
            if job := self.stages.fail(record.jobid):
                self.lines.say(f"failed: {job.rule}{self.named[record.jobid]}, log: {job.log}")
        elif message.startswith(HIDDEN):
            return
        elif record.levelno >= WARNING or message.startswith(SHOWN):
            self.lines.say(message.rstrip())
        elif self.failed and message.startswith(LOG):
            self.lines.say(message)

    def close(self) -> None:
        """Say how long it took, and end the display. Snakemake calls this more than once."""
        if self.closed:
            return
        self.closed = True
        if self.stages.ended and not self.failed:
            spent = duration(time.monotonic() - self.began)
            self.lines.say(f"{counted(self.stages.ended, 'job')} done in {spent}")
        self.lines.close()
        super().close()
