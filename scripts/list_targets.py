"""The target words with their vocabulary ids; each must be one candidate entry."""

import pandas as pd

from running import run
from textualization.files import write_table
from textualization.vocabulary import target_ids


def main(candidates: str, words: list[str], targets: str) -> None:
    ids = target_ids(pd.read_parquet(candidates), words)
    write_table(pd.DataFrame({"word": words, "id": ids}), targets)


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        candidates=snakemake.input.candidates,
        words=snakemake.params.words,
        targets=snakemake.output[0],
    )
