"""How every script runs as a Snakemake job: on whole inputs, with a log, one clear line on failure."""

import contextlib
import logging
import sys
import traceback
from pathlib import Path

from textualization import checksums


def run(main, job, /, **arguments) -> None:
    """Call main(**arguments) as a job; on an error say it in a line and exit with 1.

    job: Snakemake's object of it. Its inputs are compared with what the jobs that wrote them recorded;
    of its outputs the same is recorded.
    """
    log_file = str(job.log[0])
    logging.raiseExceptions = False  # on a full disk the log is the first to fail
    logging.basicConfig(
        filename=log_file, filemode="w", level=logging.INFO, format="%(asctime)s %(message)s"
    )
    try:
        checksums.forget(job.output)
        checksums.check(job.input)
        # What came from a cache of several checkouts has no record yet.
        checksums.record(path for path in job.input if _linked(path))
        main(**arguments)
        checksums.record(job.output)
    except Exception as error:
        with contextlib.suppress(OSError), Path(log_file).open("a", encoding="utf-8") as log:
            traceback.print_exc(file=log)
        script = Path(main.__globals__["__file__"]).stem
        notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
        print(f"{script}: {error}{notes}\n(details: {log_file})", file=sys.stderr)
        sys.exit(1)


def _linked(path) -> bool:
    """Whether an input is a result that is kept elsewhere."""
    path = Path(path)
    return path.parts[0] == "results" and path.is_symlink() and not checksums.has_record(path)
