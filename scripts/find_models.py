"""Which models can be reached: found already, in a folder, on PyPI, on the hub or in its cache."""

import csv
from pathlib import Path

from running import run
from textualization.files import atomic
from textualization.sources import missing

COLUMNS = ("model", "found", "reason")


def main(sources: dict[str, dict], folders: dict[str, str], found: str) -> None:
    rows = []
    for model, source in sources.items():
        fetched = (Path(folders[model]) / "model.safetensors").is_file()
        reason = "" if fetched else missing(source)
        rows.append((model, not reason, reason))
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
