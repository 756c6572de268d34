"""The study's final files, with their sizes and checksums."""

import json
from pathlib import Path

from running import run
from textualization.files import write_text
from textualization.manifests import listed


def main(study: str, files, manifest: str) -> None:
    record = {"study": study, "files": listed(Path(manifest).parent, files)}
    write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", manifest)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        study=snakemake.params.study,
        files=[*snakemake.input.of_study, *snakemake.input.of_models],
        manifest=snakemake.output[0],
    )
