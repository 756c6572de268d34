"""Write the atlas of a study: one page for all models, which opens from disk."""

from pathlib import Path

from study.job import run
from textualization.files import write_text
from textualization.report.atlas import page
from textualization.report.csv_tables import read_csv
from textualization.report.sentences import in_short, of_twins


def main(template, files, parts, claims, twins, about, models, null_models, html) -> None:
    folder = Path(template).parent
    texts = {
        Path(path).relative_to(folder).as_posix(): Path(path).read_text(encoding="utf-8")
        for path in files
    }
    claims = read_csv(claims)
    found = {m: in_short(claims[claims["model"] == m], null_models) for m in models}
    about = about | {"twins": of_twins([read_csv(path) for path in twins]), "found": found}
    packed = {model: Path(part).read_bytes() for model, part in zip(models, parts, strict=True)}
    write_text(page(Path(template).read_text(encoding="utf-8"), texts, about, packed), html)


if "snakemake" in globals():
    run(main, snakemake)
