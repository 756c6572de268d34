"""Find which models can be reached: already fetched, in a folder, on PyPI, on the hub or cached."""

import csv
from pathlib import Path

from study.job import run
from textualization.files import atomic
from textualization.models.sources import SourceError, missing

COLUMNS = ("model", "found", "reason")


def main(sources: dict[str, dict], folders: dict[str, str], found: str) -> None:
    """Write which models are found; raise SourceError, with all reasons, if none is."""
    rows = []
    for model, source in sources.items():
        fetched = (Path(folders[model]) / "model.safetensors").is_file()
        reason = "" if fetched else missing(source)
        rows.append((model, not reason, reason))
    if all(reason for *_, reason in rows):
        reasons = "\n".join(f"{model}: {reason}" for model, _, reason in rows)
        raise SourceError(f"none of the study's models can be reached\n{reasons}")
    with atomic(found) as partial, open(partial, "w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([COLUMNS, *rows])


if "snakemake" in globals():
    run(main, snakemake)
