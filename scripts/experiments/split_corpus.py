"""Split the corpus: a half that searches read, and a half on which what was found is judged."""

from study.job import run
from study.texts.held_out import halves
from textualization.files import write_text


def main(corpus, searched, held_out) -> None:
    for texts, path in zip(halves(corpus), (searched, held_out), strict=True):
        write_text("".join(f"{text}\n" for text in texts), path)


if "snakemake" in globals():
    run(main, snakemake)
