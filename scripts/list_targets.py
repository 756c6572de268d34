"""The target words with their vocabulary ids; each must be one candidate entry."""

import pandas as pd

from running import run
from textualization.files import write_table
from textualization.settings import read_targets
from textualization.vocabulary import target_ids


def main(candidates: str, words: str, targets: str) -> None:
    read_targets(words)  # the file's form, checked again: it may have changed since the plan
    table = pd.read_csv(words, sep="\t", keep_default_na=False, quoting=3)
    ids = target_ids(pd.read_parquet(candidates), table["word"].tolist())
    write_table(table.assign(id=ids), targets)


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        candidates=snakemake.input.candidates,
        words=snakemake.input.words,
        targets=snakemake.output[0],
    )
