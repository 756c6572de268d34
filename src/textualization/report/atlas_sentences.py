"""Sentences and short texts in the atlas: a token, and what is around it.

A model's part of the atlas has, where the study has them:

sentences  by kind (`singles`, `groups`, `directions`), in the order of `optima`, `groups` and
           `directions`: per objective a list of [activation, text before, token, text after], the
           highest first
texts      likewise, each with its number of tokens, and whether no other word at any place is better
corpus     `sentences`, `tokens`, and `drawn`, the number of sentences that null models read
"""

import pandas as pd

from textualization.report.atlas import plain

#: Characters shown on each side of a token; more are cut, at a space if there is one.
AROUND = 160


def around(text: str, start: int, end: int, most: int = AROUND) -> list[str]:
    """Divide a text into what is before a token, the token, and what is after it.

    Args:
        text: the text.
        start, end: the token in it.
        most: length of what is shown on each side.
    """
    before, after = text[:start], text[end:]
    if len(before) > most:
        kept = before[-most:]
        before = "…" + (kept.split(maxsplit=1)[-1] if " " in kept.strip() else kept)
    if len(after) > most:
        kept = after[:most]
        after = (kept.rsplit(maxsplit=1)[0] if " " in kept.strip() else kept) + "…"
    return [before, text[start:end], after]


def in_their_texts(table: pd.DataFrame, names, further=()) -> list[list[list]]:
    """List the tokens of a table by objective.

    Args:
        table: `objective`, `activation`, `text`, `start`, `end`, in the order that is shown.
        names: the objectives, in the order of the atlas; those without a row have an empty list.
        further: further columns of the table.

    Returns:
        Per objective a list of [activation, before, token, after, further columns].
    """
    found = {name: [] for name in names}
    for row in table.to_dict("records"):
        if row["objective"] in found:
            shown = around(row["text"], row["start"], row["end"])
            parts = [row["activation"], *shown, *(row[column] for column in further)]
            found[row["objective"]].append([plain(part) for part in parts])
    return list(found.values())
