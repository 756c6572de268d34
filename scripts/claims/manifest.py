"""List the study's final files with sizes and checksums, as a manifest and as an RO-Crate."""

import json
from datetime import UTC, datetime
from pathlib import Path

from study.job import run
from study.record.crates import crate as crate_of
from study.record.manifests import listed
from textualization.files import write_text


def main(study: str, of_study, of_models, provenance: str, manifest: str, crate: str) -> None:
    files = [*of_study, *of_models]
    found = listed(Path(manifest).parent, files)
    record = json.loads(Path(provenance).read_text(encoding="utf-8"))
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    _write({"study": study, "files": found}, manifest)
    _write(crate_of(study, found, record, finished), crate)


def _write(content: dict, path: str) -> None:
    write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", path)


if "snakemake" in globals():
    run(main, snakemake)
