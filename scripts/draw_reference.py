"""The candidate words over which a null model's neurons are summed up, and the model's beside them."""

import pandas as pd

from running import run
from textualization.files import write_table
from textualization.vocabulary import reference_words


def main(candidates: str, words, seed: int, reference: str) -> None:
    table = pd.read_parquet(candidates)
    ids = reference_words(table["candidate"], words, seed)
    write_table(pd.DataFrame({"id": ids, "word": table["word"].iloc[ids].to_numpy()}), reference)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        candidates=snakemake.input.candidates,
        **dict(snakemake.params.items()),
        reference=snakemake.output[0],
    )
