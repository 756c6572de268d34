"""The target words of a study: which of them a model has as one entry, and which are left out."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from study.stated_words import check_entries, look_up
from textualization.draws import generator
from textualization.models.vocabulary import VocabularyError, WordLookup


def find_targets(requested: Sequence[str], vocabulary: pd.DataFrame, tokenizer) -> pd.DataFrame:
    """Look up the target words in a vocabulary, see `WordLookup`.

    Args:
        requested: the target words as they are listed.
        vocabulary: the vocabulary: `word`, `kind`, `candidate`.
        tokenizer: the model's tokenizer.

    Returns:
        One row per target: `word`, `id` (-1 if it is not one entry), `tokens` (their number),
        `pieces` (the tokens by name), `used` (whether it is a single entry and a candidate, and the
        first with this entry), `read_as` (the entry by name, empty if there is none).
    """
    lookup = WordLookup(vocabulary, tokenizer)
    table = look_up(requested, lookup).rename(columns={"listed": "word", "word": "read_as"})
    table["tokens"] = np.array([len(lookup.tokens(word)) for word in requested], dtype=int)
    # Of several words with one entry, the one that is spelt like it is used, or else the first.
    order = (table["word"] != table["read_as"]).sort_values(kind="stable").index
    first = ~table["id"][order].duplicated().reindex(table.index)
    candidate = [row >= 0 and bool(vocabulary["candidate"][row]) for row in table["id"]]
    used = first & np.array(candidate, dtype=bool)
    return table.assign(used=used)[["word", "id", "tokens", "pieces", "used", "read_as"]]


def check_targets(targets: pd.DataFrame) -> None:
    """Raise VocabularyError if any target in the table of `find_targets` cannot be used."""
    check_entries(targets.rename(columns={"word": "listed", "read_as": "word"}), "words.targets")
    excluded = targets["word"][~targets["used"]]
    if len(excluded):
        names = ", ".join(map(repr, excluded))
        raise VocabularyError(f"words.targets: not candidates (words.candidates): {names}")


def described_targets(targets: pd.DataFrame, rows: list[dict]) -> pd.DataFrame:
    """Return `word`, `category` and `frequency_band` of targets, by the names of their entries.

    Args:
        targets: the target words of a model: `word`, `listed` (as the word list has it).
        rows: the word list, see `study.config.settings.read_target_rows`.
    """
    listed = pd.DataFrame(rows).set_index("word").loc[targets["listed"]]
    return listed.set_axis(targets["word"]).rename_axis("word").reset_index()


def reference_words(candidates, count, seed: int) -> np.ndarray:
    """Draw `count` candidates (`all`: every one) from a mask, (V,); return their sorted ids."""
    ids = np.flatnonzero(candidates)
    if count == "all":
        return ids
    return np.sort(generator(seed, "reference words").permutation(ids)[:count])
