"""The fixed tokens among which x stands: a sentence with `{}` in the place of a word."""

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
from tokenizers import Tokenizer

from textualization.errors import RequestError
from textualization.files import write_text
from textualization.models.vocabulary import WordLookup, convention

#: The mark of x in a sentence.
SLOT = "{}"
#: Words that are tried in the place of x; the tokens around them must always be the same.
TRIED = 24
#: Fewest letters of such a word: shorter ones are often read as part of a neighbour.
LETTERS = 3


@dataclass(frozen=True)
class Context:
    """A sentence around x.

    text: the sentence, with `{}` in the place of each x.
    tokens: what stands between the special tokens: the id of a fixed token, or None for an x.
    """

    text: str
    tokens: tuple[int | None, ...]

    def save(self, path: str | Path) -> None:
        """Write the sentence and its tokens to a JSON file, atomically."""
        write_text(json.dumps(asdict(self), ensure_ascii=False) + "\n", path)

    @classmethod
    def load(cls, path: str | Path) -> "Context":
        """Read a file that `save` wrote."""
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        return cls(found["text"], tuple(found["tokens"]))


def read_context(text: str, words: pd.DataFrame, tokenizer: Tokenizer) -> Context:
    """Tokenise a sentence around x as the tokenizer would with an ordinary word in the place of x.

    A word at the beginning of the sentence is read as within one: in a byte-level tokenizer, with
    the blank that is part of its entry.

    Args:
        text: the sentence, with `{}` in the place of each x.
        words: the vocabulary, one row per entry: `word`, `kind`, `candidate`.
        tokenizer: the model's tokenizer.

    Raises:
        RequestError: the sentence has no `{}`, holds an unknown or special token, or is read with some
            words in another way than with others.
    """
    if not isinstance(text, str) or SLOT not in text:
        raise RequestError(
            f"context: {text!r} has no place for x (allowed: a sentence with {SLOT} in the place of a "
            f'word, as in "the {SLOT} sat on the mat")'
        )
    parts = text.split(SLOT)
    if not parts[0] and convention(json.loads(tokenizer.to_str())) == "byte_level":
        parts[0] = " "
    names, tokens = words["word"].to_numpy(), None
    for row in _ordinary_words(words, tokenizer):
        read = tokenizer.encode(names[row].join(parts), add_special_tokens=False)
        found = read.ids
        if tokens is None:
            _check_characters(text, names[row].join(parts), read.offsets)
            tokens = _with_places(found, row, parts, names, tokenizer)
        if [row if t is None else t for t in tokens] != found:
            raise RequestError(
                f"context: with {names[row]!r} in place of {SLOT}, {text!r} is read as "
                f"{' '.join(names[found])}, so that x cannot be told from what is around it (leave a "
                f"blank before and after {SLOT}, or another word in between)"
            )
    if tokens is None:
        raise RequestError("context: the model has no ordinary word to try in the place of x")
    _check_entries(text, [t for t in tokens if t is not None], words, tokenizer)
    return Context(text, tuple(tokens))


def _with_places(found, row, parts, names, tokenizer) -> list[int | None]:
    """Return the tokens with None in the places of a word; other occurrences of the word stay."""
    places = [place for place, token in enumerate(found) if token == row]
    wanted = len(parts) - 1
    if len(places) == wanted:
        return [None if place in places else token for place, token in enumerate(found)]
    # The sentence has the word itself: count how many there are before each place.
    kept = []
    for count in range(1, wanted + 1):
        before = names[row].join(parts[:count]).rstrip()
        kept.append(len(tokenizer.encode(before, add_special_tokens=False).ids))
    return [None if place in kept else token for place, token in enumerate(found)]


def _ordinary_words(words: pd.DataFrame, tokenizer: Tokenizer) -> Iterator[int]:
    """Yield ids of words that the tokenizer reads as one entry after another word."""
    lookup = WordLookup(words, tokenizer)
    kept = (words["kind"] == "word") & words["word"].str.isalpha()
    rows = words.index[kept & (words["word"].str.len() >= LETTERS)]
    found = 0
    for row in rows[:: max(1, len(rows) // (20 * TRIED))]:
        if found < TRIED and lookup.tokens(words["word"][row]) == [row]:
            found += 1
            yield int(row)


def _check_characters(text: str, filled: str, offsets) -> None:
    """Raise RequestError for characters that a tokenizer without an unknown token leaves out."""
    kept = {place for first, last in offsets for place in range(first, last)}
    lost = [c for place, c in enumerate(filled) if place not in kept]
    # Marks may be stripped on purpose; blanks and control characters are nothing to read.
    lost = [c for c in lost if unicodedata.category(c)[0] not in "CMZ"]
    if lost:
        raise RequestError(f"context: {text!r} has {lost[0]!r}, which the vocabulary lacks")


def _check_entries(text: str, fixed: list[int], words: pd.DataFrame, tokenizer: Tokenizer) -> None:
    """Raise RequestError for fixed tokens that no ordinary text has."""
    model = json.loads(tokenizer.to_str())["model"]
    unknown = model.get("unk_id")
    if isinstance(name := model.get("unk_token"), str):
        unknown = tokenizer.token_to_id(name)
    if unknown in fixed:
        raise RequestError(
            f"context: {text!r} has a part that the vocabulary lacks: it is read as "
            f"{' '.join(words['word'][t] for t in fixed)}"
        )
    special = [words["word"][t] for t in fixed if words["kind"][t] in ("special", "unused")]
    if special:
        raise RequestError(
            f"context: {text!r} has the special token {special[0]!r} (allowed: ordinary text; special "
            "tokens around it are stated as the frame)"
        )
