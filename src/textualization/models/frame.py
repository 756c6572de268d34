"""What stands before and after x: special tokens of the model's tokenizer."""

import json
from collections.abc import Mapping

from tokenizers import Tokenizer

from textualization.errors import RequestError
from textualization.models.config import CheckpointError
from textualization.models.families import Family, IdOf
from textualization.models.vocabulary import is_marker, special_entries

PLACES = ("before", "after")


class SpecialTokens:
    """The special tokens of a tokenizer.

    These are the added tokens that are special, what the tokenizer itself puts around a text, and
    entries in brackets, which some tokenizers list as ordinary ones.
    """

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer = tokenizer
        empty = tokenizer.encode("")
        around = {t for t, s in zip(empty.tokens, empty.special_tokens_mask, strict=True) if s}
        self.listed = around | special_entries(json.loads(tokenizer.to_str()))

    def ordinary(self, row: int) -> str | None:
        """Return the text of an id's entry if it is an ordinary one; None if it is not, or absent."""
        entry = self.tokenizer.id_to_token(row) if row >= 0 else None
        if entry is None or entry in self.listed or is_marker(entry):
            return None
        return entry


def check_frame(frame: Mapping[str, str | None] | None) -> dict[str, str | None]:
    """Return the entries that a user states around x; raise RequestError if they are not allowed."""
    frame = {} if frame is None else frame
    if not isinstance(frame, Mapping) or not set(frame) <= set(PLACES):
        raise RequestError(
            f"frame: {frame!r} is not a mapping of before and after to an entry of the tokenizer "
            "or None"
        )
    for place, entry in frame.items():
        if not isinstance(entry, str | None):
            raise RequestError(
                f"frame.{place}: {entry!r} is not the text of an entry of the tokenizer, or None "
                "for nothing"
            )
    return dict(frame)


def frame_of(
    name, kind: Family, ids: Mapping, rows: int, special: SpecialTokens, stated: Mapping
) -> dict[str, int]:
    """Find what stands before and after x.

    Args:
        name: the model's name in messages.
        kind: the model's family.
        ids: values of config.json by field.
        rows: number of rows of the embedding matrix.
        special: the tokenizer's special tokens.
        stated: entries that the user states, see `check_frame`.

    Returns:
        The ids by place (`before`, `after`); -1 for nothing.

    Raises:
        CheckpointError: the tokenizer has no such entry, or config.json has no special token's id.
    """
    found = {}
    for place, wanted in zip(PLACES, kind.frame, strict=True):
        wanted = stated.get(place, wanted)
        if isinstance(wanted, IdOf):
            row = ids.get(wanted.field)
            fault = _fault_of_id(row, rows, special)
            fault = fault and f"config.json's {wanted.field} {fault}"
        else:
            row = -1 if wanted is None else special.tokenizer.token_to_id(wanted)
            fault = _fault_of_entry(wanted, row, rows)
        if fault:
            known = ", ".join(sorted(special.listed)[:5]) or "none"
            raise CheckpointError(
                f"{name}: {fault}; state the special token {place} x as frame: {{{place}: ...}}, an "
                f"entry of the tokenizer or null for nothing (its special tokens: {known})"
            )
        found[place] = row
    return found


def check_padding(name, kind: Family, row: int, special: SpecialTokens) -> None:
    """Raise CheckpointError if the padding entry is a word, or is needed and missing (-1)."""
    if row < 0 and kind.padded:
        raise CheckpointError(
            f"{name}: config.json's pad_token_id is null or negative, but positions are counted from "
            "it; write the padding entry's id there"
        )
    if (entry := special.ordinary(row)) is not None:
        raise CheckpointError(
            f"{name}: config.json's pad_token_id is {row}, the ordinary entry {entry!r}, and not a "
            "special token; write the padding entry's id there"
        )


def _fault_of_id(row, rows: int, special: SpecialTokens) -> str | None:
    """Return why a value of config.json is not the id of a special token, or None."""
    if row is None:
        return "is null or missing"
    if isinstance(row, list):
        return f"names several entries, {row}, for one special token"
    if type(row) is not int:
        return f"is {row!r}, which is not an id"
    if not 0 <= row < rows:
        return (
            f"is entry {row}, the special token next to x, which is not one of the model's {rows}"
        )
    if special.tokenizer.id_to_token(row) is None:
        return f"is {row}, which is not an entry of the tokenizer"
    if (entry := special.ordinary(row)) is not None:
        return f"is {row}, the ordinary entry {entry!r}, and not a special token"
    return None


def _fault_of_entry(entry: str | None, row: int | None, rows: int) -> str | None:
    """Return why an entry cannot stand next to x, or None."""
    if row is None:
        return f"the tokenizer has no entry {entry!r}"
    if row >= rows:
        return f"entry {row}, {entry!r}, is not one of the model's {rows}"
    return None
