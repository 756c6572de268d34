"""Tables as CSV for programs, Markdown and HTML for reading, LaTeX (booktabs) for papers."""

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pandas as pd
from markdown_it import MarkdownIt

from textualization.files import write_text
from textualization.report.csv_tables import write_csv


@dataclass(frozen=True)
class TableFiles:
    """The files of one table: for programs, for reading, for papers, for the report."""

    csv: str
    md: str
    tex: str
    html: str


#: A self-contained page, without scripts, fonts or links to other files.
_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #111; background: #fff; margin: 1.5em }}
p, li {{ max-width: 48em }}
table {{ border-collapse: collapse; font-size: 13px }}
caption {{ text-align: left; font-weight: bold; padding-bottom: .5em }}
th, td {{ text-align: left; vertical-align: top; padding: .25em .7em; border-bottom: 1px solid #ddd }}
th {{ position: sticky; top: 0; background: #fff }}
td {{ font-variant-numeric: tabular-nums }}
.wide {{ min-width: 18em }}
</style>
{body}</html>
"""

_PROSE = MarkdownIt("commonmark", {"html": False})
for _side in ("link_open", "link_close"):
    _PROSE.add_render_rule(_side, lambda *_: "")


def write_for_people(table: pd.DataFrame, files: TableFiles, digits: int = 3) -> None:
    """Write a table to its four files; numbers are rounded to `digits` except in CSV."""
    write_with_shown(table, as_text(table, digits), files)


def as_text(table: pd.DataFrame, digits: int = 3) -> pd.DataFrame:
    """Return a table of strings; numbers are rounded to `digits`."""
    shown = table.map(lambda value: readable(value, digits))
    shown.columns = [str(name).replace("_", " ") for name in table.columns]
    return shown


def write_with_shown(table: pd.DataFrame, shown: pd.DataFrame, files: TableFiles) -> None:
    """Write `table` as CSV, and `shown`, a table of strings, as Markdown, LaTeX and HTML."""
    write_csv(table, files.csv)
    write_text(markdown(shown), files.md)
    write_text(latex(shown), files.tex)
    title = Path(files.html).stem.replace("_", " ").capitalize()
    write_text(page(title, html_table(shown, title)), files.html)


def page(title: str, body: str) -> str:
    """Render a self-contained page with an HTML body."""
    return _PAGE.format(title=escape(title), body=body)


def html_table(table: pd.DataFrame, caption: str) -> str:
    """Render a table of strings as escaped HTML."""
    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in table.columns)
    rows = ["".join(map(_html_cell, row)) for row in table.to_numpy()]
    body = "".join(f"<tr>{row}</tr>\n" for row in rows)
    return (
        f"<table>\n<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}</tbody>\n</table>\n"
    )


def _html_cell(value) -> str:
    # A long text among many numbers would otherwise get a very narrow column.
    wide = ' class="wide"' if len(str(value)) > 40 else ""
    return f"<td{wide}>{escape(str(value))}</td>"


def html_prose(text: str) -> str:
    """Render Markdown as escaped HTML; links become plain text, since a page stands alone."""
    return _PROSE.render(text)


def markdown(table: pd.DataFrame) -> str:
    """Render a table of strings as Markdown."""
    rows = [list(table.columns), ["---"] * table.shape[1], *table.to_numpy().tolist()]
    return "".join(f"| {' | '.join(map(_cell, row))} |\n" for row in rows)


def _cell(value) -> str:
    # In Markdown, < may begin a tag, | ends the cell, and ]( makes a link or an image.
    text = re.sub(r"&(?=#?\w+;)", "&amp;", " ".join(str(value).splitlines()))
    return text.replace("|", "\\|").replace("<", "&lt;").replace("](", "]\\(")


def latex(table: pd.DataFrame) -> str:
    """Render a table of strings as LaTeX with the rules of booktabs."""
    text = table.style.hide(axis="index").format(escape="latex").to_latex(hrules=True)
    # LaTeX would read * or [ at the start of a row as an option of the \\ before it.
    return re.sub(r"^(?=[*\[])", "{}", text, flags=re.MULTILINE)


def readable(value, digits: int = 3) -> str:
    """Format a value for a table: numbers rounded, missing values empty, +∞ as `not reached`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if pd.isna(value):
            return ""
        if value == float("-inf"):
            return "−∞"
        if value == float("inf"):
            return "not reached"
        if abs(value) >= 10:
            digits = 0 if abs(value) >= 100 else min(digits, 1)
        return f"{value:z.{digits}f}"
    return "" if value is None or value is pd.NA else str(value)
