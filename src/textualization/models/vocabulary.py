"""Vocabulary of a model as a table, with the entries that count as words."""

import json
import re
from collections.abc import Collection

import pandas as pd

from textualization.spelling import composed

#: Kinds of entries that may be the word nearest to an optimum.
CANDIDATES = {
    "whole_words": ("word",),
    "with_wordpieces": ("word", "wordpiece"),
    "all": ("word", "wordpiece", "unused", "special"),
}

_UNUSED = re.compile(r"\[unused\d+\]")
_SPECIAL = re.compile(r"\[[A-Z]+\]")
#: Form of markers such as `<s>`, `[MASK]`, `<extra_id_0>` and `|||EMAIL|||`.
_MARKER = re.compile(r"<.*\w.*>|\[.*\w.*\]|\|.*\w.*\|")
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")
#: Prefix of pieces that continue a word, as in BERT, for every tokenizer.
CONTINUES = "##"
#: Mark of sentencepiece for the beginning of a word.
_BEGINS = "\u2581"
#: A word is tokenised after this one, as in running text.
_BEFORE = "the"


class VocabularyError(ValueError):
    """A vocabulary does not fit its model, or a target is not one of its words."""


def convention(tokenizer: dict) -> str:
    """Return how a tokenizer writes its entries.

    Args:
        tokenizer: the contents of tokenizer.json.

    Returns:
        `wordpiece`, `byte_level` or `sentencepiece`.

    Raises:
        VocabularyError: the tokenizer is of another kind.
    """
    model = tokenizer["model"]
    # Older files have no type; this limit is specific to WordPiece.
    if model.get("type") == "WordPiece" or "max_input_chars_per_word" in model:
        return "wordpiece"
    if _mentions(tokenizer, "ByteLevel"):
        return "byte_level"
    if model.get("type") == "Unigram" or _mentions(tokenizer, "Metaspace", _BEGINS):
        return "sentencepiece"
    raise VocabularyError(
        f"a tokenizer of kind {model.get('type')!r} without byte-level or word-begin marks "
        "is not known (known: WordPiece, byte-level BPE, sentencepiece)"
    )


def special_entries(tokenizer: dict) -> set[str]:
    """Return the added tokens that are special, by the contents of tokenizer.json.

    Others are words that were added to the vocabulary, except blanks and markers.
    """
    return {
        token["content"]
        for token in tokenizer.get("added_tokens", [])
        if token.get("special", True) or is_marker(token["content"]) or not token["content"].strip()
    }


def is_marker(entry: str) -> bool:
    """Tell whether an entry is in brackets, as special tokens are."""
    return bool(_MARKER.fullmatch(entry))


def vocabulary_table(
    tokenizer: dict, entries: dict[str, int], rows: int, frame: Collection[int] = ()
) -> pd.DataFrame:
    """Return the vocabulary as a table, one row per row of the embedding matrix.

    Args:
        tokenizer: the contents of tokenizer.json.
        entries: the id of every entry of the tokenizer.
        rows: number of rows of the embedding matrix, which may exceed the number of entries.
        frame: ids of the entries around x, which are special.

    Returns:
        Columns `word` (unique readable form, `##` before a piece that continues a word), `entry`
        (as the tokenizer writes it) and `kind`: `word` (begins a word, or was added as a whole),
        `wordpiece` (continues one), `special` or `unused`.

    Raises:
        VocabularyError: an id exceeds the embedding matrix, or the tokenizer is of an unknown kind.
    """
    if max(entries.values(), default=-1) >= rows:
        raise VocabularyError(
            f"the tokenizer has entries up to id {max(entries.values())}, but the model's "
            f"embedding matrix has {rows} rows"
        )
    written = convention(tokenizer)
    added = {token["content"] for token in tokenizer.get("added_tokens", [])}
    special = special_entries(tokenizer)
    found = [("", f"[row{row}]", "unused") for row in range(rows)]
    for entry, row in entries.items():
        if not entry:  # from an empty line; no text maps to it
            continue
        if _UNUSED.fullmatch(entry) and row not in frame:
            found[row] = entry, entry, "unused"
        elif (
            row in frame or entry in special or written == "wordpiece" and _SPECIAL.fullmatch(entry)
        ):
            found[row] = entry, _visible(entry), "special"
        elif entry in added:
            found[row] = entry, _visible(entry), "word"
        else:
            text, begins = _READ[written](entry)
            mark = "" if begins else CONTINUES
            found[row] = entry, mark + _visible(text), "word" if begins else "wordpiece"
    table = pd.DataFrame(found, columns=["entry", "word", "kind"])[["word", "entry", "kind"]]
    # If several entries read alike, the one that begins a word, or else the first, keeps its name.
    order = (table["kind"] != "word").sort_values(kind="stable").index
    while (repeated := table["word"][order].duplicated().reindex(table.index)).any():
        for row in table.index[repeated]:
            table.loc[row, "word"] += f"[row{row}]"
    return table


def _mentions(tokenizer: dict, *names: str) -> bool:
    """Tell whether a part of the tokenizer that marks words has one of these values."""
    parts = [tokenizer.get(part) for part in ("pre_tokenizer", "decoder", "normalizer")]
    text = json.dumps(parts, ensure_ascii=False)
    return any(f'"{name}"' in text for name in names)


def _wordpiece(entry: str) -> tuple[str, bool]:
    continues = entry.startswith(CONTINUES) and entry != CONTINUES
    return (entry.removeprefix(CONTINUES), False) if continues else (entry, True)


def _byte_level(entry: str) -> tuple[str, bool]:
    try:
        text = bytes(_BYTES[character] for character in entry)
    except KeyError:  # an entry that is not written as bytes
        return entry, False
    text = text.decode("utf-8", errors="backslashreplace")
    return _split_mark(text, " ")


def _sentencepiece(entry: str) -> tuple[str, bool]:
    return (entry, False) if _BYTE.fullmatch(entry) else _split_mark(entry, _BEGINS)


def _split_mark(text: str, mark: str) -> tuple[str, bool]:
    """Return a text without its mark, and whether the mark makes it begin a word."""
    begins = text.startswith(mark) and bool(text.strip(mark))
    text = text.removeprefix(mark) if begins else text
    return text.replace(mark, " "), begins


_READ = {"wordpiece": _wordpiece, "byte_level": _byte_level, "sentencepiece": _sentencepiece}


def _visible(text: str) -> str:
    """Make spaces and control characters of a text visible."""
    return "".join(
        "\u2423"
        if character == " "
        else character
        if character.isprintable()
        else character.encode("unicode_escape").decode()
        for character in text
    )


def _byte_names() -> dict[str, int]:
    """Return the byte of each character of byte-level BPE (Radford et al. 2019)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {
        chr(256 + place): byte for place, byte in enumerate(others)
    }


_BYTES = _byte_names()


def with_candidates(vocabulary: pd.DataFrame, candidates: str) -> pd.DataFrame:
    """Add the column `candidate`, by a definition in CANDIDATES, to a vocabulary table."""
    return vocabulary.assign(candidate=vocabulary["kind"].isin(CANDIDATES[candidates]))


class WordLookup:
    """Finds words in a vocabulary: by their spelling, or else as the model's tokenizer reads them.

    Args:
        words: the vocabulary, one row per entry: `word`, `kind`.
        tokenizer: the model's tokenizer; without it, words are found by their spelling only.
    """

    def __init__(self, words: pd.DataFrame, tokenizer=None):
        self.names, self._kinds, self._tokenizer = words["word"], words["kind"], tokenizer
        spelt = {composed(name): row for row, name in reversed(list(enumerate(self.names)))}
        # Of two entries with the same composed form, the composed one is meant.
        same = {name: row for row, name in enumerate(self.names) if name == composed(name)}
        self._ids = spelt | same

    def tokens(self, word: str) -> list[int]:
        """Return the ids of a word's tokens after another word; none without a tokenizer."""
        if self._tokenizer is None:
            return []
        before, whole = (
            self._tokenizer.encode(text, add_special_tokens=False).ids
            for text in (_BEFORE, f"{_BEFORE} {composed(word)}")
        )
        return whole[len(before) :]

    def find(self, word: str) -> int:
        """Return the id of a word's entry, or -1 if the word is not one entry.

        A word that is no entry as it is spelt is the one that the tokenizer makes of it, which may
        lower case or strip accents.
        """
        if (row := self._ids.get(composed(word))) is not None:
            return row
        tokens = self.tokens(word)
        return tokens[0] if len(tokens) == 1 and self._kinds[tokens[0]] == "word" else -1
