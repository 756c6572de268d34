"""The target words with their ids, and what becomes of those that are not one entry."""

import pandas as pd

from running import run
from textualization.files import write_table
from textualization.vocabulary import VocabularyError, check_targets, find_targets
from tokenizing import load_tokenizer

#: Words are looked up as they stand behind another one.
BEFORE = "the"


def main(candidates, tokenizer, words: list[str], missing: str, targets: str, asked: str) -> None:
    tokenize = load_tokenizer(tokenizer)

    def ids(text: str) -> list[int]:
        return tokenize.encode(text, add_special_tokens=False).ids

    skipped = len(ids(BEFORE))
    tokens = {word: ids(f"{BEFORE} {word}")[skipped:] for word in words}
    found = find_targets(pd.read_parquet(candidates), tokens)
    if missing == "stop":
        check_targets(found)
    used = found[found["used"]]
    if not len(used):
        raise VocabularyError("words.targets: none of the words is one entry of the vocabulary")
    write_table(found, asked)
    write_table(used[["word", "id"]].reset_index(drop=True), targets)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        candidates=snakemake.input.candidates,
        tokenizer=snakemake.input.tokenizer,
        words=snakemake.params.words,
        missing=snakemake.params.missing,
        targets=snakemake.output.targets,
        asked=snakemake.output.asked,
    )
