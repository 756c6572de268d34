"""CSV files of tables: what is written is read back, whatever its text looks like."""

import re
from pathlib import Path

import pandas as pd

from textualization.files import atomic

#: Columns that hold text in every table. Words, and names of models and of conditions, may look like
#: numbers ("007", "1e5"), truth values ("true") or missing values ("null", "nan").
TEXT = ("word", "best_word", "nearest_word", "top_words", "model", "condition", "block", "stratum")
TEXT += ("category", "frequency_band", "claim", "statement", "paper", "protocol", "verdict", "null")
TEXT += ("null_model", "selection", "against", "scope", "site", "statistic", "quantity", "kind")
TEXT += ("of", "by", "other", "relation", "factor", "metric", "candidates", "solver", "reason")
TEXT += ("direction",)

#: Text that a spreadsheet would take as a formula, with or without apostrophes before it.
_FORMULA = r"'*[=+\-@\t\r]"


def write_csv(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table as CSV without text that a spreadsheet would run as a formula.

    An apostrophe is put before such text; `read_csv` removes it.
    """
    safe = table.copy()
    for name in table.select_dtypes(exclude="number"):
        # As objects, so that the other values of the column keep their types.
        values = [_no_formula(value) for value in table[name]]
        safe[name] = pd.Series(values, index=table.index, dtype=object)
    with atomic(path) as partial:
        safe.to_csv(partial, index=False)


def read_csv(path: str | Path) -> pd.DataFrame:
    """Read a table that `write_csv` wrote. Only empty fields are missing; columns of TEXT are text."""
    table = pd.read_csv(path, dtype=dict.fromkeys(TEXT, str), keep_default_na=False, na_values=[""])
    for name in table.columns.intersection(TEXT):
        table[name] = table[name].str.replace(rf"^'(?={_FORMULA})", "", regex=True)
    return table


def _no_formula(value):
    return f"'{value}" if isinstance(value, str) and re.match(_FORMULA, value) else value
