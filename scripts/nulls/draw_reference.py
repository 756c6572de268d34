"""Draw the candidate words over which neurons of null models, and of the model, are summarised."""

import pandas as pd

from study.job import run
from study.targets import reference_words
from textualization.files import write_table


def main(candidates: str, words, seed: int, reference: str) -> None:
    table = pd.read_parquet(candidates)
    ids = reference_words(table["candidate"], words, seed)
    write_table(pd.DataFrame({"id": ids, "word": table["word"].iloc[ids].to_numpy()}), reference)


if "snakemake" in globals():
    run(main, snakemake)
