"""Tables for people: CSV for programs, Markdown and HTML for reading, LaTeX (booktabs) for papers."""

import re
from html import escape
from pathlib import Path

import pandas as pd
from markdown_it import MarkdownIt

from textualization.files import atomic, write_text

#: The files of one table.
KINDS = ("csv", "md", "tex", "html")

#: A page that needs nothing but itself: no script, no font, no file beside it.
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

#: What a spreadsheet computes, and the same with apostrophes before it.
_FORMULA = r"'*[=+\-@\t\r]"

_PROSE = MarkdownIt("commonmark", {"html": False})
for _side in ("link_open", "link_close"):
    _PROSE.add_render_rule(_side, lambda *_: "")


def write_for_people(
    table: pd.DataFrame, csv: str, md: str, tex: str, html: str, digits: int = 3
) -> None:
    """Write one table four times; numbers are rounded but for CSV."""
    shown = table.map(lambda value: readable(value, digits))
    shown.columns = [str(name).replace("_", " ") for name in table.columns]
    write_beside(table, shown, csv, md, tex, html)


def write_beside(
    table: pd.DataFrame, shown: pd.DataFrame, csv: str, md: str, tex: str, html: str
) -> None:
    """Write a table for programs, and what of it people are shown: strings."""
    write_csv(table, csv)
    write_text(markdown(shown), md)
    write_text(latex(shown), tex)
    title = Path(html).stem.replace("_", " ").capitalize()
    write_text(page(title, html_table(shown, title)), html)


def write_csv(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table as CSV in which no text is a formula to a spreadsheet.

    Texts that would be have an apostrophe before them; `texts_of_csv` takes it away.
    """
    safe = table.copy()
    for name in table.select_dtypes(exclude="number"):
        # As objects, so that nothing else in the column changes its kind.
        values = [_no_formula(value) for value in table[name]]
        safe[name] = pd.Series(values, index=table.index, dtype=object)
    with atomic(path) as partial:
        safe.to_csv(partial, index=False)


def texts_of_csv(column: pd.Series) -> pd.Series:
    """A text column that `write_csv` wrote, as it was."""
    return column.str.replace(rf"^'(?={_FORMULA})", "", regex=True)


def _no_formula(value):
    return f"'{value}" if isinstance(value, str) and re.match(_FORMULA, value) else value


def page(title: str, body: str) -> str:
    """A page of its own. body: HTML."""
    return _PAGE.format(title=escape(title), body=body)


def html_table(table: pd.DataFrame, caption: str) -> str:
    """A table of strings as HTML, everything in it escaped."""
    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in table.columns)
    rows = ["".join(map(_html_cell, row)) for row in table.to_numpy()]
    body = "".join(f"<tr>{row}</tr>\n" for row in rows)
    return (
        f"<table>\n<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}</tbody>\n</table>\n"
    )


def _html_cell(value) -> str:
    # A long text beside many numbers would be a word wide.
    wide = ' class="wide"' if len(str(value)) > 40 else ""
    return f"<td{wide}>{escape(str(value))}</td>"


def html_prose(text: str) -> str:
    """Markdown as HTML, escaped; links become their text, since a page has no files beside it."""
    return _PROSE.render(text)


def markdown(table: pd.DataFrame) -> str:
    """A table of strings as Markdown."""
    rows = [list(table.columns), ["---"] * table.shape[1], *table.to_numpy().tolist()]
    return "".join(f"| {' | '.join(map(_cell, row))} |\n" for row in rows)


def _cell(value) -> str:
    # In Markdown a bare < may begin a tag, a bare | ends the cell, and ]( makes a link or an image.
    text = re.sub(r"&(?=#?\w+;)", "&amp;", " ".join(str(value).splitlines()))
    return text.replace("|", "\\|").replace("<", "&lt;").replace("](", "]\\(")


def latex(table: pd.DataFrame) -> str:
    """A table of strings as LaTeX, with the rules of booktabs."""
    text = table.style.hide(axis="index").format(escape="latex").to_latex(hrules=True)
    # After the \\ of the row before, a row that begins so would be its option.
    return re.sub(r"^(?=[*\[])", "{}", text, flags=re.MULTILINE)


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
