"""The atlas of a study: one page for every model, that opens from disk."""

from pathlib import Path

from running import run
from textualization.atlas import page
from textualization.files import write_text


def main(template, files, parts, about, models, html) -> None:
    folder = Path(template).parent
    texts = {
        Path(path).relative_to(folder).as_posix(): Path(path).read_text(encoding="utf-8")
        for path in files
    }
    packed = {model: Path(part).read_bytes() for model, part in zip(models, parts, strict=True)}
    write_text(page(Path(template).read_text(encoding="utf-8"), texts, about, packed), html)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        template=snakemake.input.template,
        files=snakemake.input.files,
        parts=snakemake.input.parts,
        about=snakemake.params.about,
        models=snakemake.params.models,
        html=snakemake.output[0],
    )
