"""Mark the vocabulary entries that may be an optimum's nearest word."""

import pandas as pd

from study.job import run
from textualization.files import write_table
from textualization.models.vocabulary import with_candidates


def main(vocabulary: str, candidates: str, marked: str) -> None:
    write_table(with_candidates(pd.read_parquet(vocabulary), candidates), marked)


if "snakemake" in globals():
    run(main, snakemake)
