"""Tokenizers without padding and truncation."""

from pathlib import Path

from tokenizers import Tokenizer


def load_tokenizer(path: str | Path) -> Tokenizer:
    """Read a tokenizer.json and switch its padding and truncation off."""
    return plain(Tokenizer.from_file(str(path)))


def plain(tokenizer: Tokenizer) -> Tokenizer:
    """Switch a tokenizer's padding and truncation off, in place, and return it."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer
