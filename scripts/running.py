"""How every script runs as a Snakemake job: a log of its own, and one clear line when it fails."""

import logging
import sys
import traceback
from pathlib import Path


def run(main, log_file, **arguments) -> None:
    """Call main(**arguments), logging to `log_file`; on an error say it in a line and exit with 1."""
    logging.basicConfig(
        filename=log_file, filemode="w", level=logging.INFO, format="%(asctime)s %(message)s"
    )
    try:
        main(**arguments)
    except Exception as error:
        with Path(log_file).open("a", encoding="utf-8") as log:
            traceback.print_exc(file=log)
        script = Path(main.__globals__["__file__"]).stem
        print(f"{script}: {error}\n(details: {log_file})", file=sys.stderr)
        sys.exit(1)
