"""Look up the words that the sets of directions name, before anything takes long."""

import logging

import pandas as pd

from study.job import run
from study.made_directions import find_words, usable_words
from textualization.files import write_table
from textualization.models.tokenizer import load_tokenizer
from textualization.models.vocabulary import WordLookup
from textualization.spelling import read_as


def main(candidates, tokenizer, named, missing: str, words: str) -> None:
    found = find_words(named, WordLookup(pd.read_parquet(candidates), load_tokenizer(tokenizer)))
    used = usable_words(found, missing)
    for row in used[used["listed"] != used["word"]].itertuples():
        logging.info(read_as(row.listed, row.word))
    for row in found[found["id"] < 0].itertuples():
        logging.info("directions.%s.%s: %r is left out", row.set, row.key, row.listed)
    write_table(used, words)


if "snakemake" in globals():
    run(main, snakemake)
