"""Names of a study's objectives, by which tables of several kinds are joined."""

from functools import reduce

import pandas as pd

#: What names an objective in `<kind>.parquet`. A word may have a slash, so it is last.
KEYS = {
    "singles": ["site", "layer", "index"],
    "groups": ["selection", "scope", "scope_layer", "size", "word"],
    "directions": ["name"],
}


def names_of(kind: str, table: pd.DataFrame) -> pd.Series:
    """Return the names of the objectives in a table, one per row.

    Args:
        kind: `singles`, `groups` or `directions`.
        table: a table with the kind's KEYS.
    """
    first, *others = (table[key].astype(str) for key in KEYS[kind])
    return reduce(lambda name, part: name + "/" + part, others, first)
