"""The study's final files, with their sizes and checksums: as a list, and as a crate for archives."""

import json
from datetime import UTC, datetime
from pathlib import Path

from running import run
from textualization.crates import crate
from textualization.files import write_text
from textualization.manifests import listed


def main(study: str, files, provenance: str, manifest: str, metadata: str) -> None:
    found = listed(Path(manifest).parent, files)
    record = json.loads(Path(provenance).read_text(encoding="utf-8"))
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    _write({"study": study, "files": found}, manifest)
    _write(crate(study, found, record, finished), metadata)


def _write(content: dict, path: str) -> None:
    write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", path)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        study=snakemake.params.study,
        files=[*snakemake.input.of_study, *snakemake.input.of_models],
        provenance=snakemake.input.provenance,
        manifest=snakemake.output.manifest,
        metadata=snakemake.output.crate,
    )
