"""Find the words at whose mean embedding all ascents start, where starts are not drawn."""

import pandas as pd

from study.job import run
from study.starts import start_words
from textualization.files import write_table
from textualization.models.tokenizer import load_tokenizer
from textualization.models.vocabulary import WordLookup


def main(candidates, tokenizer, start_at, missing: str, start: str) -> None:
    words = pd.read_parquet(candidates)
    lookup = WordLookup(words, load_tokenizer(tokenizer))
    ids = start_words(start_at, lookup, words["candidate"].to_numpy(), missing)
    write_table(pd.DataFrame({"id": ids}), start)


if "snakemake" in globals():
    run(main, snakemake)
