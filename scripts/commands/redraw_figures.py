"""Draw the published figures again, from the tables in docs/data/ and without running a study.

PYTHONPATH=src python scripts/commands/redraw_figures.py [study ...]
"""

import subprocess
import sys
from pathlib import Path

from study.machine.terminal import command_line
from study.published.frozen import PublishingError, read_published
from study.published.redraw import compared, redraw

DOCS = Path("docs")


def main(studies: list[str]) -> int:
    known = {published.study: published for published in read_published(DOCS / "published.yaml")}
    if unknown := [study for study in studies if study not in known]:
        print(f"{unknown[0]!r} is not published (known: {', '.join(known)})", file=sys.stderr)
        return 2
    failed = []
    for study in studies or known:
        try:
            drawn = redraw(known[study], DOCS / "data")
        except (PublishingError, subprocess.CalledProcessError) as error:
            said = "Snakemake failed" if isinstance(error, subprocess.CalledProcessError) else error
            print(f"{study}: {said}", file=sys.stderr)
            failed.append(study)
            continue
        for name, png in drawn.items():
            print(f"{png}: {compared(png, DOCS / f'{name}.png')}", flush=True)
    print("docs/data/README.md lists the figures whose tables are not at hand.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(command_line()))
