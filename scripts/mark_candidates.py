"""Which vocabulary entries may be an optimum's nearest word."""

import pandas as pd

from running import run
from textualization.files import write_table
from textualization.vocabulary import with_candidates


def main(vocabulary: str, candidates: str, marked: str) -> None:
    write_table(with_candidates(pd.read_parquet(vocabulary), candidates), marked)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        vocabulary=snakemake.input.vocabulary,
        candidates=snakemake.params.candidates,
        marked=snakemake.output[0],
    )
