"""List every row of the embedding matrix with its name and kind."""

import json
from pathlib import Path

from safetensors import safe_open
from tokenizers import Tokenizer

from study.job import run
from textualization.files import write_table
from textualization.models.architecture import Architecture
from textualization.models.vocabulary import VocabularyError, vocabulary_table


def main(tokenizer: str, words: int, vocabulary: str, frozen: str | None = None) -> None:
    frame = ()
    if frozen:
        with safe_open(frozen, framework="numpy") as file:
            frame = Architecture.read(file.metadata()).frame
    entries = Tokenizer.from_file(tokenizer).get_vocab(with_added_tokens=True)
    contents = json.loads(Path(tokenizer).read_text(encoding="utf-8"))
    try:
        table = vocabulary_table(contents, entries, words, frame)
    except VocabularyError as error:
        raise VocabularyError(f"{tokenizer}: {error}") from None
    write_table(table, vocabulary)


if "snakemake" in globals():
    run(main, snakemake)
