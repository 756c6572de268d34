"""Every vocabulary entry with its kind."""

from tokenizers import Tokenizer

from running import run
from textualization.files import write_table
from textualization.vocabulary import VocabularyError, vocabulary_table


def main(tokenizer: str, words: int, vocabulary: str) -> None:
    entries = Tokenizer.from_file(tokenizer).get_vocab(with_added_tokens=True)
    if sorted(entries.values()) != list(range(words)):
        raise VocabularyError(
            f"{tokenizer} has {len(entries)} entries, the model's embedding matrix {words} rows"
        )
    write_table(vocabulary_table(sorted(entries, key=entries.get)), vocabulary)


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        tokenizer=snakemake.input.tokenizer,
        words=snakemake.params.words,
        vocabulary=snakemake.output[0],
    )
