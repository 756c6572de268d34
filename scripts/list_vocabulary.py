"""Every vocabulary entry with its kind; whether the targets are words of it."""

from tokenizers import Tokenizer

from running import run
from textualization.files import write_table
from textualization.settings import read_targets
from textualization.vocabulary import VocabularyError, target_ids, vocabulary_table


def main(tokenizer: str, targets: str, candidates: str, words: int, vocabulary: str) -> None:
    entries = Tokenizer.from_file(tokenizer).get_vocab(with_added_tokens=True)
    if sorted(entries.values()) != list(range(words)):
        raise VocabularyError(
            f"{tokenizer} has {len(entries)} entries, the model's embedding matrix {words} rows"
        )
    table = vocabulary_table(sorted(entries, key=entries.get), candidates)
    target_ids(table, read_targets(targets))
    write_table(table, vocabulary)


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        tokenizer=snakemake.input.tokenizer,
        targets=snakemake.input.targets,
        candidates=snakemake.params.candidates,
        words=snakemake.params.words,
        vocabulary=snakemake.output[0],
    )
