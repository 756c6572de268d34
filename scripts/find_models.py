"""Which models can be reached: found already, in a folder, on PyPI, on the hub or in its cache."""

import csv
from pathlib import Path

from running import run
from textualization.files import atomic
from textualization.sources import SourceError, missing

COLUMNS = ("model", "found", "reason")


def main(sources: dict[str, dict], folders: dict[str, str], found: str) -> None:
    """Raise SourceError, with every reason, if no model is found."""
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
    run(
        main,
        snakemake,
        sources=snakemake.params.sources,
        folders=snakemake.params.folders,
        found=snakemake.output[0],
    )
