"""Contexts: sentences with one word of interest, read from a tab-separated table.

Imports nothing but the standard library and the errors, so that it loads fast.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from study.config.text_files import read_tab_separated
from textualization.errors import SettingsError
from textualization.spelling import composed

#: Columns of a table of contexts, in order.
COLUMNS = ("kind", "item", "label", "word", "sentence")
#: Kinds of contexts. An item of a PAIRED kind has exactly two labels, which are compared.
KINDS = ("sense", "phrase", "pattern")
PAIRED = ("sense", "pattern")
#: Placeholder for the word in a sentence of the table.
SLOT = "{}"


@dataclass(frozen=True)
class Context:
    """A sentence with its word filled in, at the characters `start` to `end`."""

    kind: str
    item: str
    label: str
    word: str
    sentence: str
    start: int
    end: int


def read_contexts(path: str | Path) -> list[Context]:
    """Read the contexts of a table, in its order. A row with words `a|b` gives two contexts.

    Raises:
        SettingsError: the table has faults. The message has one line per fault, with file and line.
    """
    rows = _read_rows(path)
    found: dict[Context, int] = {}
    labels: dict[tuple[str, str], dict[str, int]] = {}
    faults: list[tuple[int, str]] = []
    for line, fields in rows:
        wrong = _row_faults(fields)
        faults += [(line, fault) for fault in wrong]
        if len(fields) == len(COLUMNS) and all(fields[:3]):
            kind, item, label, *_ = fields
            labels.setdefault((kind, item), {}).setdefault(label, line)
        for context in [] if wrong else _filled_in(*fields):
            if context in found:
                fault = f"{context.sentence!r} is the same context as in line {found[context]}"
                faults.append((line, f"{fault} (allowed: every context once)"))
            found.setdefault(context, line)
    for (kind, item), by_label in labels.items():
        if kind in PAIRED and len(by_label) != 2:
            names = f"{len(by_label)} label{'s' * (len(by_label) > 1)}: {_listed(by_label)}"
            fault = f"{kind} {item!r} has {names} (allowed: exactly two labels)"
            faults.append((min(by_label.values()), fault))
    if faults:
        lines = [f"words.contexts: {path}, line {line}: {fault}" for line, fault in sorted(faults)]
        raise SettingsError("\n".join(lines))
    return list(found)


def _read_rows(path: str | Path) -> list[tuple[int, list[str]]]:
    """Read the non-empty rows below the header, in composed Unicode, each with its line number."""
    try:
        written = read_tab_separated(path, COLUMNS)
    except SettingsError as error:
        raise SettingsError(f"words.contexts: {error}") from None
    rows = [(line, [composed(field) for field in fields]) for line, fields in written]
    for (line, before), (_, after) in zip(written, rows, strict=True):
        if before != after:
            logging.info("%s, line %d: read in composed Unicode (NFC)", path, line)
    line, header = rows[0] if rows else (1, [])
    if tuple(header) != COLUMNS:
        raise SettingsError(
            f"words.contexts: {path}, line {line}: the header is {' '.join(header) or 'missing'!r} "
            f"(allowed: tab-separated {' '.join(COLUMNS)})"
        )
    if not rows[1:]:
        raise SettingsError(
            f"words.contexts: {path}, line {line}: no contexts below the header (allowed: one or more)"
        )
    return rows[1:]


def _listed(texts) -> str:
    """List texts; those with characters that cannot be printed as Python writes them."""
    return ", ".join(text if text.isprintable() else repr(text) for text in texts)


def _row_faults(fields: list[str]) -> list[str]:
    """List the faults of one row, regardless of the other rows."""
    allowed = f"allowed: {len(COLUMNS)}, {' '.join(COLUMNS)}"
    if len(fields) != len(COLUMNS):
        return [f"{len(fields)} tab-separated fields ({allowed})"]
    kind, _, _, words, sentence = fields
    missing = [
        name for name, field in zip(COLUMNS, fields, strict=True) if not field and name != "word"
    ]
    faults = [f"lacks {', '.join(missing)} ({allowed})"] if missing else []
    if kind and kind not in KINDS:
        faults.append(f"{kind!r} is not a kind of context (allowed: one of {', '.join(KINDS)})")
    for word in dict.fromkeys(words.split("|")):
        if not word or word != word.strip():
            fault = f"the word {word!r} of {words!r} is empty or has spaces around it"
            faults.append(f"{fault} (allowed: a word, or several words separated by |)")
    if sentence and sentence.count(SLOT) != 1:
        fault = f"{sentence!r} has {sentence.count(SLOT)} places for the word"
        faults.append(f"{fault} (allowed: {SLOT} exactly once)")
    return faults


def _filled_in(kind: str, item: str, label: str, words: str, sentence: str) -> list[Context]:
    """Return a row's contexts: its sentence, filled in with each of its words."""
    start = sentence.index(SLOT)
    return [
        Context(kind, item, label, word, sentence.replace(SLOT, word), start, start + len(word))
        for word in words.split("|")
    ]
