"""The vocabulary as a table, and which of its entries count as words."""

import re

import numpy as np
import pandas as pd

from textualization.starts import generator

#: Which entries are candidates when the word nearest to an optimum is looked for.
CANDIDATES = {
    "whole_words": ("word",),
    "with_wordpieces": ("word", "wordpiece"),
    "all": ("word", "wordpiece", "unused", "special"),
}

_KINDS = [
    ("unused", re.compile(r"\[unused\d+\]")),
    ("special", re.compile(r"\[[A-Z]+\]")),
    ("wordpiece", re.compile(r"##.+")),
]


class VocabularyError(ValueError):
    """A vocabulary does not fit its model, or a target is not a word of it."""


def kind(entry: str) -> str:
    """`special`, `unused`, `wordpiece` (continues a word) or `word` (everything else)."""
    return next((name for name, form in _KINDS if form.fullmatch(entry)), "word")


def vocabulary_table(entries: list[str]) -> pd.DataFrame:
    """One row per vocabulary entry, in the order of ids: `word`, `kind`."""
    return pd.DataFrame({"word": entries, "kind": [kind(entry) for entry in entries]})


def with_candidates(vocabulary: pd.DataFrame, candidates: str) -> pd.DataFrame:
    """The vocabulary with a column `candidate`: whether an entry may be an optimum's nearest word.

    candidates: the definition, a key of CANDIDATES.
    """
    return vocabulary.assign(candidate=vocabulary["kind"].isin(CANDIDATES[candidates]))


def target_ids(vocabulary: pd.DataFrame, targets: list[str]) -> list[int]:
    """The vocabulary ids of the target words; each must be one candidate entry.

    Raises VocabularyError that names every target that is not.
    """
    ids = pd.Series(vocabulary.index, index=vocabulary["word"])
    missing = [word for word in targets if word not in ids.index]
    if missing:
        raise VocabularyError(
            f"words.targets: not one entry of the model's vocabulary: {', '.join(map(repr, missing))}"
        )
    barred = [word for word in targets if not vocabulary["candidate"][ids[word]]]
    if barred:
        names = ", ".join(map(repr, barred))
        raise VocabularyError(f"words.targets: not candidates (words.candidates): {names}")
    return [int(ids[word]) for word in targets]


def reference_words(candidates, count, seed: int) -> np.ndarray:
    """A random sample of the candidate words: sorted ids. candidates: (V,), bool. count: or `all`."""
    ids = np.flatnonzero(candidates)
    if count == "all":
        return ids
    return np.sort(generator(seed, "reference words").permutation(ids)[:count])
