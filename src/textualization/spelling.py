"""The spelling of words in Unicode."""

import unicodedata


def composed(text: str) -> str:
    """Return a text in composed Unicode (NFC), in which an accented letter has one spelling."""
    return unicodedata.normalize("NFC", text)


def read_as(word: str, entry: str) -> str:
    """Say as which entry a word is read; two that look alike are shown by the codes of their letters."""
    shown = ascii if composed(word) == composed(entry) else repr
    return f"{shown(word)} is read as {shown(entry)}"
