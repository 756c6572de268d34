"""Words that settings state, as entries of a model's vocabulary: targets, directions and starts."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from textualization.models.vocabulary import VocabularyError, WordLookup


def look_up(words: Sequence[str], lookup: WordLookup) -> pd.DataFrame:
    """Look up words in a vocabulary, see `WordLookup`.

    Returns:
        A row per word: `listed` (the word as stated), `id` (-1 if it is not one entry), `word` (the
        entry by name, empty if there is none), `pieces` (the tokens by name).
    """
    table = pd.DataFrame({"listed": list(words)}, dtype=object)
    table["id"] = np.array([lookup.find(word) for word in words], dtype=int)
    table["word"] = [lookup.names[i] if i >= 0 else "" for i in table["id"]]
    return table.assign(pieces=[" ".join(lookup.names[lookup.tokens(word)]) for word in words])


def check_entries(found: pd.DataFrame, setting: str) -> None:
    """Raise VocabularyError if a word of the table of `look_up` is no entry, or two are the same one.

    Args:
        found: see `look_up`.
        setting: the setting that states the words, by name.
    """
    gone = found[found["id"] < 0]
    if len(gone):
        names = ", ".join(f"{row.listed!r} ({row.pieces})" for row in gone.itertuples())
        skip = "; set missing.words: skip to leave them out"
        raise VocabularyError(
            f"{setting}: not one entry of the model's vocabulary: {names}"
            f"{skip if len(gone) < len(found) else ''}"
        )
    same = found[found["id"].duplicated(keep=False)]
    if len(same):
        names = ", ".join(f"{row.listed!r} ({row.word})" for row in same.itertuples())
        raise VocabularyError(
            f"{setting}: several words are read as one entry: {names}; "
            "set missing.words: skip to keep one of them"
        )


def usable(found: pd.DataFrame, setting: str, missing: str) -> pd.DataFrame:
    """Return the words that are one entry each, every entry once.

    Args:
        found: see `look_up`.
        setting: the setting that states the words, by name.
        missing: `stop`, or `skip` to leave out words that are no entry, or an entry's second word.

    Raises:
        VocabularyError: see `check_entries`, if `missing` is stop; or no word is one entry.
    """
    if missing == "stop":
        check_entries(found, setting)
    kept = found[found["id"] >= 0].drop_duplicates("id")
    if not len(kept):
        raise VocabularyError(
            f"{setting}: none of the words is one entry of the model's vocabulary: "
            f"{', '.join(map(repr, found['listed']))}"
        )
    return kept
