"""Tables for people: CSV for programs, Markdown for reading, LaTeX (booktabs) for papers."""

import pandas as pd

from textualization.files import atomic, write_text


def write_for_people(table: pd.DataFrame, csv: str, md: str, tex: str, digits: int = 3) -> None:
    """Write one table three times; numbers are rounded in Markdown and LaTeX only."""
    shown = table.map(lambda value: readable(value, digits))
    shown.columns = [str(name).replace("_", " ") for name in table.columns]
    write_beside(table, shown, csv, md, tex)


def write_beside(table: pd.DataFrame, shown: pd.DataFrame, csv: str, md: str, tex: str) -> None:
    """Write a table for programs, and what of it people are shown: strings."""
    with atomic(csv) as partial:
        table.to_csv(partial, index=False)
    write_text(markdown(shown), md)
    write_text(shown.style.hide(axis="index").format(escape="latex").to_latex(hrules=True), tex)


def markdown(table: pd.DataFrame) -> str:
    """A table of strings as Markdown."""
    rows = [list(table.columns), ["---"] * table.shape[1], *table.to_numpy().tolist()]
    return "".join(f"| {' | '.join(map(_cell, row))} |\n" for row in rows)


def _cell(value) -> str:
    # In Markdown a bare < may begin a tag, a bare | ends the cell.
    return str(value).replace("|", "\\|").replace("<", "&lt;")


def readable(value, digits: int = 3) -> str:
    """A value as a table shows it: rounded, no trailing noise, nothing for a missing number."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if pd.isna(value):
            return ""
        if value == float("-inf"):
            return "−∞"
        if value == float("inf"):
            return "not reached"
        return f"{value:z.0f}" if abs(value) >= 100 else f"{value:z.{digits}f}"
    return "" if value is None or value is pd.NA else str(value)
