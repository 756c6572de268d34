"""The vocabulary as a table, and which of its entries count as words."""

import json
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

_UNUSED = re.compile(r"\[unused\d+\]")
_SPECIAL = re.compile(r"\[[A-Z]+\]")
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")
#: How a piece that continues a word is shown, whatever the tokenizer: as BERT writes it.
CONTINUES = "##"
#: How sentencepiece marks the beginning of a word.
_BEGINS = "\u2581"


class VocabularyError(ValueError):
    """A vocabulary does not fit its model, or a target is not a word of it."""


def convention(tokenizer: dict) -> str:
    """How a tokenizer writes its entries: `wordpiece`, `byte_level` or `sentencepiece`.

    tokenizer: the contents of tokenizer.json. Raises VocabularyError for any other.
    """
    model = tokenizer["model"]
    # Older files do not name the kind of their model; of all, only WordPiece has this limit.
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


def vocabulary_table(tokenizer: dict, entries: dict[str, int], rows: int) -> pd.DataFrame:
    """One row per row of the embedding matrix: `word`, `entry`, `kind`.

    tokenizer: the contents of tokenizer.json. entries: all its entries with their ids. rows: of the
    matrix, which may have more than the tokenizer has entries.
    `entry` is as the tokenizer writes it, `word` as people read it, each once: a word by itself, a
    piece that continues a word after `##`, blanks and control characters made visible. `kind` is
    `word` (begins a word), `wordpiece` (continues one), `special` or `unused`.
    Raises VocabularyError if there are more entries than rows.
    """
    if max(entries.values(), default=-1) >= rows:
        raise VocabularyError(
            f"the tokenizer has entries up to id {max(entries.values())}, the model's embedding matrix "
            f"{rows} rows"
        )
    written = convention(tokenizer)
    added = {token["content"] for token in tokenizer.get("added_tokens", [])}
    found = [("", f"[row{row}]", "unused") for row in range(rows)]
    for entry, row in entries.items():
        if not entry:  # of an empty line; no text becomes it
            continue
        if _UNUSED.fullmatch(entry):
            found[row] = entry, entry, "unused"
        elif entry in added or written == "wordpiece" and _SPECIAL.fullmatch(entry):
            found[row] = entry, _visible(entry), "special"
        else:
            text, begins = _READ[written](entry)
            mark = "" if begins else CONTINUES
            found[row] = entry, mark + _visible(text), "word" if begins else "wordpiece"
    table = pd.DataFrame(found, columns=["entry", "word", "kind"])[["word", "entry", "kind"]]
    # Two entries may look alike: all but the one that begins a word, or the first, are told apart.
    order = (table["kind"] != "word").sort_values(kind="stable").index
    while (again := table["word"][order].duplicated().reindex(table.index)).any():
        for row in table.index[again]:
            table.loc[row, "word"] += f"[row{row}]"
    return table


def _mentions(tokenizer: dict, *names: str) -> bool:
    """Whether a part of the tokenizer that marks words is of one of these kinds."""
    parts = [tokenizer.get(part) for part in ("pre_tokenizer", "decoder", "normalizer")]
    text = json.dumps(parts, ensure_ascii=False)
    return any(f'"{name}"' in text for name in names)


def _wordpiece(entry: str) -> tuple[str, bool]:
    continues = entry.startswith(CONTINUES) and entry != CONTINUES
    return (entry.removeprefix(CONTINUES), False) if continues else (entry, True)


def _byte_level(entry: str) -> tuple[str, bool]:
    try:
        text = bytes(_BYTES[character] for character in entry)
    except KeyError:  # not written in bytes after all
        return entry, False
    text = text.decode("utf-8", errors="backslashreplace")
    return _begun(text, " ")


def _sentencepiece(entry: str) -> tuple[str, bool]:
    return (entry, False) if _BYTE.fullmatch(entry) else _begun(entry, _BEGINS)


def _begun(text: str, mark: str) -> tuple[str, bool]:
    """The text without its mark, and whether that makes it begin a word."""
    begins = text.startswith(mark) and bool(text.strip(mark))
    text = text.removeprefix(mark) if begins else text
    return text.replace(mark, " "), begins


_READ = {"wordpiece": _wordpiece, "byte_level": _byte_level, "sentencepiece": _sentencepiece}


def _visible(text: str) -> str:
    """No blanks, no control characters: names stand in lists."""
    return "".join(
        "\u2423"
        if character == " "
        else character
        if character.isprintable()
        else character.encode("unicode_escape").decode()
        for character in text
    )


def _byte_names() -> dict[str, int]:
    """The characters that byte-level BPE writes bytes as (Radford et al. 2019)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {
        chr(256 + place): byte for place, byte in enumerate(others)
    }


_BYTES = _byte_names()


def with_candidates(vocabulary: pd.DataFrame, candidates: str) -> pd.DataFrame:
    """The vocabulary with a column `candidate`: whether an entry may be an optimum's nearest word.

    candidates: the definition, a key of CANDIDATES.
    """
    return vocabulary.assign(candidate=vocabulary["kind"].isin(CANDIDATES[candidates]))


def find_targets(vocabulary: pd.DataFrame, tokens: dict[str, list[int]]) -> pd.DataFrame:
    """The target words as this vocabulary has them.

    vocabulary: with `candidate`. tokens: of every target, the ids that the model's tokenizer makes of it
    behind another word. Returns one row per target: `word`, `id` (-1 if it is no single entry that
    begins a word), `tokens` (how many the tokenizer makes), `pieces` (these, by name), `used` (a single
    entry, and a candidate).
    """
    names, candidate = vocabulary["word"], vocabulary["candidate"]
    ids = pd.Series(vocabulary.index, index=names)
    found = [
        {
            "word": word,
            "id": int(ids.get(word, -1)),
            "tokens": len(made),
            "pieces": " ".join(names[made]),
        }
        for word, made in tokens.items()
    ]
    table = pd.DataFrame(found, columns=["word", "id", "tokens", "pieces"])
    used = [place >= 0 and bool(candidate[place]) for place in table["id"]]
    return table.assign(used=used)


def check_targets(targets: pd.DataFrame) -> None:
    """Raise VocabularyError that names every target that cannot be used. targets: of `find_targets`."""
    missing = targets[targets["id"] < 0]
    if len(missing):
        names = ", ".join(f"{row.word!r} ({row.pieces})" for row in missing.itertuples())
        raise VocabularyError(
            f"words.targets: not one entry of the model's vocabulary: {names}; "
            "with missing.words: skip the study goes on without them"
        )
    barred = targets["word"][~targets["used"]]
    if len(barred):
        names = ", ".join(map(repr, barred))
        raise VocabularyError(f"words.targets: not candidates (words.candidates): {names}")


def reference_words(candidates, count, seed: int) -> np.ndarray:
    """A random sample of the candidate words: sorted ids. candidates: (V,), bool. count: or `all`."""
    ids = np.flatnonzero(candidates)
    if count == "all":
        return ids
    return np.sort(generator(seed, "reference words").permutation(ids)[:count])
