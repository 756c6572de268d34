"""Small copies of finished studies: the tables that docs/ shows and draws its figures from."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import yaml

from study.config.strict_yaml import check_yaml
from study.record import checksums
from study.record.manifests import ManifestError, differences, listed, read_manifest
from textualization.files import write_table, write_text
from textualization.report.tables import markdown

#: How a study was made: copied with every study.
RECORDED = ("config.yaml", "provenance.json")
#: Columns of Parquet files that no figure needs, and that take most of the room.
LEFT_OUT = ["embedding"]
#: Characters of an alt text in a page; docs/<figure>.txt has the whole text.
ALOUD = 800


class PublishingError(ValueError):
    """A study cannot be published, or drawn again."""


@dataclass(frozen=True)
class Published:
    """What docs/ shows of a study.

    study: its folder in results/ and in docs/data/.
    tables: patterns of files in it, copied to docs/data/<study>/.
    figures: by their path in docs/, their path in the study, both without an ending.
    pages: files copied to docs/<study>/.
    settings: a file of settings to draw its figures again with, if its own are of a form that is not
        read any more.
    """

    study: str
    tables: list[str]
    figures: dict[str, str] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)
    settings: str | None = None


def read_published(path) -> list[Published]:
    """Read what is published, such as docs/published.yaml, in its order."""
    check_yaml(path)
    settings = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    return [Published(study, **of_study) for study, of_study in settings.items()]


def freeze(published: Published, finished: Path, data: Path) -> None:
    """Replace docs/data/<study> by the tables of a finished study, with a manifest.

    Args:
        published: what is published of the study.
        finished: the study's results.
        data: the folder of all frozen studies.

    Raises:
        PublishingError: a listed table is missing. A pattern may match nothing.
        DamagedError: a file differs from its stored checksum.
    """
    paths = [finished / name for name in RECORDED]
    for pattern in published.tables:
        found = sorted(finished.glob(pattern))
        if not found and "*" not in pattern:
            raise PublishingError(
                f"{finished / pattern} is missing, and docs/published.yaml lists it"
            )
        paths += found
    checksums.check(paths)
    into = data / published.study
    shutil.rmtree(into, ignore_errors=True)
    copies = [into / path.relative_to(finished) for path in paths]
    for path, copy in zip(paths, copies, strict=True):
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
            write_table(table.drop(columns=table.columns.intersection(LEFT_OUT)), copy)
        else:
            shutil.copyfile(path, copy)
    write_manifest(into)


def write_manifest(frozen: Path) -> None:
    """List a frozen study's files with sizes and checksums, and the commit that made the study."""
    record = json.loads((frozen / "provenance.json").read_text(encoding="utf-8"))
    paths = [p for p in frozen.rglob("*") if p.is_file() and p.name != "manifest.json"]
    content = {"study": record["study"], "commit": record["commit"]}
    content |= {"files": listed(frozen, paths)}
    write_text(json.dumps(content, indent=1) + "\n", frozen / "manifest.json")


def check(frozen: Path) -> None:
    """Compare a frozen study with its manifest.

    Raises:
        PublishingError: files differ, or the manifest is missing.
    """
    try:
        found = differences(frozen, read_manifest(frozen))
    except ManifestError:
        raise PublishingError(
            f"{frozen}/manifest.json is missing or broken: git restore it"
        ) from None
    if found:
        said = ", ".join(f"{frozen / name} ({what})" for name, what in found.items())
        raise PublishingError(f"not as in the manifest: {said}")


def redrawable(published: Published, data: Path) -> dict[str, str]:
    """Return the figures, as in `Published.figures`, whose tables are frozen."""
    frozen = data / published.study
    named = [pattern for pattern in published.tables if "*" not in pattern]
    whole = frozen.is_dir() and all((frozen / name).is_file() for name in named)

    def has_tables(place: str) -> bool:
        if "/experiments/" in place:
            return (frozen / place).with_name("numbers.csv").is_file()
        return whole

    return {name: place for name, place in published.figures.items() if has_tables(place)}


def sources(everything: list[Published], data: Path) -> dict[str, str]:
    """Return the study that each redrawable figure of docs/ is from: the first that has its tables."""
    found = {}
    for published in everything:
        for name in redrawable(published, data):
            found.setdefault(name, published.study)
    return found


def publish(everything: list[Published], results: Path, docs: Path) -> dict[str, str]:
    """Freeze all finished studies; copy their pages and figures into docs/.

    Returns:
        The alt text of every figure that was copied, by its path in docs/ without an ending.
    """
    data = docs / "data"
    finished = [p for p in everything if (results / p.study / "provenance.json").is_file()]
    for published in finished:
        freeze(published, results / published.study, data)
        for page in published.pages:
            (docs / published.study).mkdir(exist_ok=True)
            shutil.copyfile(results / published.study / page, docs / published.study / page)
    drawn_from, copied = sources(everything, data), {}
    for published in finished:
        for name, place in published.figures.items():
            if drawn_from.get(name) == published.study:
                drawn = results / published.study / f"{place}.png"
                (docs / name).parent.mkdir(exist_ok=True)
                shutil.copyfile(drawn, docs / f"{name}.png")
                copied[name] = drawn.with_suffix(".txt").read_text(encoding="utf-8").strip()
                write_text(copied[name] + "\n", docs / f"{name}.txt")
    return copied


def shortened(name: str, alt: str) -> str:
    """Return at most ALOUD characters of a figure's alt text, and the name of the file of all of it."""
    if len(alt) <= ALOUD:
        return alt
    return f"{alt[:ALOUD].rpartition('; ')[0]}; and more, see docs/{name}.txt"


OVERVIEW = """\
# The tables of the published studies

Made by `scripts/commands/update_readme.py`. Each folder holds the tables of one finished study that the
pages and figures of docs/ need, its settings (`config.yaml`), how it was made (`provenance.json`), and a
manifest with the size and SHA-256 of every file. Parquet files of optima are without the embeddings.
`make figures` draws the figures again, by the rules of the workflow, into `results/redrawn-<study>/`.

## Studies

{studies}
## Figures

{figures}"""


def overview(everything: list[Published], docs: Path) -> str:
    """Describe the frozen studies, and say of every image in docs/ whether it can be drawn again."""
    data, studies = docs / "data", []
    for published in everything:
        if not (frozen := data / published.study).is_dir():
            continue
        manifest = json.loads((frozen / "manifest.json").read_text(encoding="utf-8"))
        size = sum(file["bytes"] for file in manifest["files"].values())
        row = {"study": published.study, "commit": manifest["commit"]}
        studies.append(row | {"files": len(manifest["files"]), "kB": round(size / 1000)})
    known, claimed = sources(everything, data), {}
    for published in everything:
        for name in published.figures:
            claimed.setdefault(name, []).append(published.study)
    figures = []
    for path in sorted(docs.rglob("*.png")):
        name = path.relative_to(docs).with_suffix("").as_posix()
        again = "no: it is not drawn from a study's tables"
        if name in claimed:
            again = f"no: its tables (of {' or '.join(claimed[name])}) are not published"
        if name in known:
            again = f"yes, from {known[name]}"
        figures.append({"figure in docs/": f"{name}.png", "drawn again": again})
    return OVERVIEW.format(
        studies=markdown(pd.DataFrame(studies)), figures=markdown(pd.DataFrame(figures))
    )
