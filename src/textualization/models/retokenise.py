"""Texts of given tokens, which the tokenizer reads as exactly these tokens."""

from collections.abc import Sequence

import numpy as np

from textualization.models.vocabulary import CONTINUES


class Retokeniser:
    """Writes tokens as text.

    Args:
        model: the model, with its vocabulary and tokenizer.
    """

    def __init__(self, model):
        self._tokenizer, words = model.tokenizer, model.known_words()
        self._pieces = [
            word.removeprefix(CONTINUES) if kind == "wordpiece" else f" {word}"
            for word, kind in zip(words["word"], words["kind"], strict=True)
        ]

    def text_of(self, ids: Sequence[int]) -> str | None:
        """Write tokens as text; None if the tokenizer reads no spelling of them as these tokens."""
        ids = [int(row) for row in ids]
        for text in self._spellings(ids):
            if self._tokenizer.encode(text, add_special_tokens=False).ids == ids:
                return text
        return None

    def alone(self, ids: np.ndarray) -> np.ndarray:
        """Select the ids that are a text by themselves."""
        spelt = [self._spellings([int(row)]) for row in ids]
        found = np.zeros(len(ids), dtype=bool)
        for way in range(len(spelt[0]) if spelt else 0):
            texts = [spellings[way] for spellings in spelt]
            read = self._tokenizer.encode_batch(texts, add_special_tokens=False)
            found |= [one.ids == [row] for one, row in zip(read, ids.tolist(), strict=True)]
        return ids[found]

    def _spellings(self, ids: list[int]) -> tuple[str, str, str]:
        """Return the tokenizer's own spelling, and ours without and with a leading blank."""
        own = self._tokenizer.decode(ids, skip_special_tokens=False)
        text = "".join(self._pieces[row] for row in ids)
        return own, text.removeprefix(" "), text
