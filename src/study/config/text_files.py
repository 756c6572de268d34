"""Text files that people write: in UTF-8, and tab-separated tables whose fields may be in quotes.

Imports nothing but the standard library and the errors, so that it loads fast.
"""

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path

from textualization.errors import SettingsError

_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
#: Separators other than tabs, by their names in messages.
_OTHERS = {"semicolons": ";", "commas": ",", "spaces": " "}


def read_utf8(path: str | Path) -> str:
    """Read a text file in UTF-8, with or without a byte order mark.

    Raises:
        SettingsError: the file cannot be read, or is in another encoding.
    """
    try:
        if Path(path).exists() and not Path(path).is_file():
            raise SettingsError(f"{path} cannot be read (it is not a file)")
        content = Path(path).read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror})") from None
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or 0 in content[:2]:
        raise SettingsError(
            f'{path} is in UTF-16, as Excel\'s "Unicode text" is (allowed: text saved as UTF-8)'
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(
            f"{path}, line {line}: byte {content[error.start]:#04x} is not UTF-8 "
            "(allowed: text saved as UTF-8)"
        ) from None


def read_tab_separated(path: str | Path, columns: Iterable[str]) -> list[tuple[int, list[str]]]:
    """Read a tab-separated table, row by row, with the line number of each; blank lines are left out.

    A field in quotes is read without them, and a doubled quotation mark in it as one. Any other
    quotation mark stands for itself.

    Args:
        path: the file.
        columns: columns that the header should have; they tell what separates the fields.

    Raises:
        SettingsError: the file cannot be read, is in another encoding, is separated by something else
            than tabs, or has a field whose quotes can be understood in two ways.
    """
    lines = csv.reader(
        io.StringIO(read_utf8(path), newline=""), delimiter="\t", quoting=csv.QUOTE_NONE
    )
    try:
        rows = [(lines.line_num, fields) for fields in lines if fields]
    except csv.Error as error:
        raise SettingsError(f"{path} cannot be read ({error})") from None
    if rows and len(rows[0][1]) == 1:
        for name, separator in _OTHERS.items():
            header = {part.strip(' "') for part in rows[0][1][0].split(separator)}
            if header >= {*columns}:
                raise SettingsError(f"{path} is separated by {name} (allowed: tabs)")
    return [(line, [_unquoted(field, path, line) for field in fields]) for line, fields in rows]


def _unquoted(field: str, path, line: int) -> str:
    if quoted := _QUOTED.fullmatch(field):
        return quoted[1].replace('""', '"')
    if len(field) > 1 and field[0] == field[-1] == '"':
        raise SettingsError(
            f"{path}, line {line}: quotes of {field!r} are not clear (allowed: a field in quotes, with "
            "each quotation mark in it doubled)"
        )
    return field
