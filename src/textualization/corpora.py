"""Corpora: sentences of a text file, one a line, or of any iterable, one at a time."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from textualization.errors import RequestError

#: Length of the longest line of a file, in bytes; a longer one is no sentence.
LONGEST = 2**20
_ALLOWED = "allowed: the path of a text file, or an iterable of strings"


def check_corpus(corpus) -> None:
    """Refuse what is no corpus. A file is read through, so that no fault is found after long work.

    Raises:
        RequestError: see `sentences`; or a file has nothing but empty lines.
    """
    if isinstance(corpus, str | Path):
        has = False
        for text in _lines(corpus):
            has = has or bool(text.strip())
        if not has:
            raise RequestError(f"corpus: {corpus} has no sentence (allowed: one on every line)")
    elif not isinstance(corpus, Iterable) or isinstance(corpus, bytes):
        raise RequestError(f"corpus: {type(corpus).__name__} is not valid ({_ALLOWED})")


def sentences(corpus: str | Path | Iterable[str]) -> Iterator[str]:
    """Read the sentences of a corpus, unchanged, one at a time; empty ones too.

    Args:
        corpus: the path of a text file in UTF-8, with a sentence on every line; or sentences.

    Raises:
        RequestError: the file cannot be read; or a line or item is not text. The message names it.
    """
    return _lines(corpus) if isinstance(corpus, str | Path) else _items(corpus)


def _items(corpus) -> Iterator[str]:
    for number, item in enumerate(corpus, start=1):
        if not isinstance(item, str):
            raise RequestError(f"corpus: item {number}, {item!r}, is not a string ({_ALLOWED})")
        if not _encodes(item):
            raise RequestError(f"corpus: item {number} has half a character (a lone surrogate)")
        yield item


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _lines(path) -> Iterator[str]:
    try:
        if Path(path).exists() and not Path(path).is_file():
            raise RequestError(f"corpus: {path} is not a file ({_ALLOWED})")
        with Path(path).open("rb") as file:
            number = 0
            while line := file.readline(LONGEST + 1):
                number += 1
                yield _text(line, f"corpus: {path}, line {number}", number == 1)
    except OSError as error:
        raise RequestError(f"corpus: {path} cannot be read ({error.strerror})") from None


def _text(line: bytes, where: str, first: bool) -> str:
    """Return a line's text, without its end and, on the first line, without a byte order mark."""
    if 0 in line:
        raise RequestError(f"{where}: it has a zero byte (allowed: text saved as UTF-8)")
    if len(line) > LONGEST:
        raise RequestError(
            f"{where}: it is longer than {LONGEST} bytes (allowed: a sentence a line)"
        )
    try:
        text = line.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError as error:
        raise RequestError(
            f"{where}: byte {line[error.start]:#04x} is not UTF-8 (allowed: text saved as UTF-8)"
        ) from None
    return text.removesuffix("\n").removesuffix("\r")
