"""List the target words with their ids, and those that are not one entry of the vocabulary."""

import logging

import pandas as pd

from study.job import run
from study.targets import check_targets, find_targets
from textualization.files import write_table
from textualization.models.tokenizer import load_tokenizer
from textualization.models.vocabulary import VocabularyError
from textualization.spelling import read_as


def main(candidates, tokenizer, words, missing: str, targets: str, requested: str) -> None:
    found = find_targets(words, pd.read_parquet(candidates), load_tokenizer(tokenizer))
    for row in found[(found["id"] >= 0) & (found["word"] != found["read_as"])].itertuples():
        logging.info("%s%s", read_as(row.word, row.read_as), "" if row.used else ", and not used")
    if missing == "stop":
        check_targets(found)
    used = found[found["used"]]
    if not len(used):
        raise VocabularyError("words.targets: none of the words is one entry of the vocabulary")
    write_table(found, requested)
    of_study = used[["read_as", "id", "word"]].set_axis(["word", "id", "listed"], axis=1)
    write_table(of_study.reset_index(drop=True), targets)


if "snakemake" in globals():
    run(main, snakemake)
