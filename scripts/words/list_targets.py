"""List the target words with their ids, and those that are not one entry of the vocabulary."""

import pandas as pd

from study.job import run
from study.targets import check_targets, find_targets
from textualization.files import write_table
from textualization.models.tokenizer import load_tokenizer
from textualization.models.vocabulary import VocabularyError

#: Words are tokenised after another word, as in running text.
BEFORE = "the"


def main(candidates, tokenizer, words, missing: str, targets: str, requested: str) -> None:
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
    write_table(found, requested)
    write_table(used[["word", "id"]].reset_index(drop=True), targets)


if "snakemake" in globals():
    run(main, snakemake)
