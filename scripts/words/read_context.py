"""Tokenise the sentence around x, as the model's tokenizer reads it with a word in place of x."""

import pandas as pd

from study.job import run
from textualization.models.context import read_context
from textualization.models.tokenizer import load_tokenizer


def main(vocabulary, tokenizer, text, context) -> None:
    words = pd.read_parquet(vocabulary)
    read_context(text, words, load_tokenizer(tokenizer)).save(context)


if "snakemake" in globals():
    run(main, snakemake)
