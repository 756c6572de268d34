"""Write the atlas of a study: one page for all models, which opens from disk."""

from pathlib import Path

from study.job import run
from textualization.files import write_text
from textualization.report.atlas import page


def main(template, files, parts, about, models, html) -> None:
    folder = Path(template).parent
    texts = {
        Path(path).relative_to(folder).as_posix(): Path(path).read_text(encoding="utf-8")
        for path in files
    }
    packed = {model: Path(part).read_bytes() for model, part in zip(models, parts, strict=True)}
    write_text(page(Path(template).read_text(encoding="utf-8"), texts, about, packed), html)


if "snakemake" in globals():
    run(main, snakemake)
