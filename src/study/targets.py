"""The target words of a study: which of them a model has as one entry, and which are left out."""

import numpy as np
import pandas as pd

from textualization.draws import generator
from textualization.models.vocabulary import VocabularyError


def find_targets(vocabulary: pd.DataFrame, tokens: dict[str, list[int]]) -> pd.DataFrame:
    """Look up the target words in a vocabulary.

    Args:
        vocabulary: the vocabulary with the column `candidate`.
        tokens: for each target, the ids of its tokens after another word.

    Returns:
        One row per target: `word`, `id` (-1 if it is not one entry), `tokens` (their number),
        `pieces` (the tokens by name), `used` (whether it is a single entry and a candidate).
    """
    names, candidate = vocabulary["word"], vocabulary["candidate"]
    ids = pd.Series(vocabulary.index, index=names)
    found = [
        {
            "word": word,
            "id": int(ids.get(word, -1)),
            "tokens": len(token_ids),
            "pieces": " ".join(names[token_ids]),
        }
        for word, token_ids in tokens.items()
    ]
    table = pd.DataFrame(found, columns=["word", "id", "tokens", "pieces"])
    used = [place >= 0 and bool(candidate[place]) for place in table["id"]]
    return table.assign(used=used)


def check_targets(targets: pd.DataFrame) -> None:
    """Raise VocabularyError if any target in the table of `find_targets` cannot be used."""
    missing = targets[targets["id"] < 0]
    if len(missing):
        names = ", ".join(f"{row.word!r} ({row.pieces})" for row in missing.itertuples())
        raise VocabularyError(
            f"words.targets: not one entry of the model's vocabulary: {names}; "
            "set missing.words: skip to leave them out"
        )
    excluded = targets["word"][~targets["used"]]
    if len(excluded):
        names = ", ".join(map(repr, excluded))
        raise VocabularyError(f"words.targets: not candidates (words.candidates): {names}")


def reference_words(candidates, count, seed: int) -> np.ndarray:
    """Draw `count` candidates (`all`: every one) from a mask, (V,); return their sorted ids."""
    ids = np.flatnonzero(candidates)
    if count == "all":
        return ids
    return np.sort(generator(seed, "reference words").permutation(ids)[:count])
