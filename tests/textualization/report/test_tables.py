"""Tables as people read them."""

import csv
import html
import io
import math
import re

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt

from paths import ROOT
from textualization.report.csv_tables import TEXT, read_csv, write_csv
from textualization.report.tables import (
    TableFiles,
    html_prose,
    html_table,
    markdown,
    page,
    readable,
    write_for_people,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.12345, "0.123"),
        (0.6666666, "0.667"),
        (12.0, "12.0"),
        (99.94, "99.9"),
        (100.4, "100"),
        (-250.6, "-251"),
        (-0.5, "-0.500"),
        (-0.0001, "0.000"),  # no sign without a number
        (math.nan, ""),
        (None, ""),
        (math.inf, "not reached"),
        (np.float64(0.25), "0.250"),
        (7, "7"),
        (12345, "12345"),
        (np.int64(7), "7"),
        (True, "yes"),
        (False, "no"),
        ("word", "word"),
        ("", ""),
    ],
)
def test_a_value_is_shown_without_noise(value, text):
    assert readable(value) == text


def test_the_number_of_digits_can_be_chosen():
    assert readable(0.126, digits=1) == "0.1"


def written(table, tmp_path):
    paths = {kind: str(tmp_path / f"tables/t.{kind}") for kind in ("csv", "md", "tex", "html")}
    write_for_people(table, TableFiles(**paths))
    return {kind: open(path, encoding="utf-8").read() for kind, path in paths.items()}


def cells(line):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


AWKWARD = ["a|b", "<b>", "&", "50 %", "a_b", "#", "$x$", "{", "~", "^", "\\", "é", "##ing"]


def test_the_three_files_hold_the_same_rows(tmp_path):
    table = pd.DataFrame(
        {
            "word": ["apple", "river"],
            "ci_low": [0.123456789, math.nan],
            "size": [10, 500],
            "recovered": [True, False],
            "share": np.array([0.5, 250.4], dtype=np.float32),
        }
    )
    text = written(table, tmp_path)
    expected = [["apple", "0.123", "10", "yes", "0.500"], ["river", "", "500", "no", "250"]]
    lines = text["md"].splitlines()
    assert cells(lines[0]) == ["word", "ci low", "size", "recovered", "share"]
    assert set(cells(lines[1])) == {"---"}
    assert [cells(line) for line in lines[2:]] == expected
    body = text["tex"].split(r"\midrule")[1].split(r"\bottomrule")[0]
    rows = [row.split("&") for row in body.split(r"\\") if row.strip()]
    assert [[cell.strip() for cell in row] for row in rows] == expected
    back = list(csv.DictReader(text["csv"].splitlines()))
    assert float(back[0]["ci_low"]) == 0.123456789  # not rounded
    assert list(back[0]) == list(table.columns)


def test_awkward_words_stay_in_their_cells(tmp_path):
    text = written(pd.DataFrame({"word": AWKWARD, "n": range(len(AWKWARD))}), tmp_path)
    lines = text["md"].splitlines()[2:]
    assert [len(cells(line)) for line in lines] == [2] * len(AWKWARD)
    assert "<" not in text["md"]
    assert cells(lines[0])[0] == r"a\|b"
    body = text["tex"].split(r"\midrule")[1].split(r"\bottomrule")[0]
    rows = body.strip().splitlines()
    assert len(rows) == len(AWKWARD)
    for row in rows:
        assert len(re.findall(r"(?<!\\)&", row)) == 1
        cell = re.split(r"(?<!\\)&", row)[0]
        assert not re.search(r"(?<!\\)[%#$_]", cell)
    assert [row["word"] for row in csv.DictReader(text["csv"].splitlines())] == AWKWARD


def test_words_from_strangers_show_themselves_and_nothing_else(tmp_path):
    words = ["![p](http://x/p.png)", "[a](http://x)", "&lt;b&gt;", "two\nlines", "&"]
    text = written(pd.DataFrame({"word": words}), tmp_path)
    shown = MarkdownIt("commonmark").enable("table").render(text["md"])
    assert shown.count("<tr>") == 1 + len(words)
    assert "<img" not in shown and "<a " not in shown
    # Nothing is hidden either: an entity is told as it was written.
    assert "&amp;lt;b&amp;gt;" in shown and "<td>two lines</td>" in shown


@pytest.mark.parametrize("first", ["*", "[1cm]", "*x"])
def test_a_row_of_latex_is_no_option_of_the_row_before(tmp_path, first):
    text = written(pd.DataFrame({"word": ["a", first, "b"], "n": [1, 2, 3]}), tmp_path)
    body = text["tex"].split(r"\midrule")[1]
    assert [line for line in body.splitlines() if line.startswith(("*", "["))] == []
    assert f"{{}}{first} & 2" in body


def test_no_text_is_a_formula_to_a_spreadsheet(tmp_path):
    words = ["=cmd()", "+1", "-", "@a", "\tx", "'=x", "'", "'s", "a=b", "=", "", "<script>"]
    table = pd.DataFrame({"word": words, "x": -np.arange(len(words))})
    table["y"] = pd.Series([1, None] * 6, dtype=object)
    text = written(table, tmp_path)["csv"]
    rows = list(csv.DictReader(text.splitlines()))
    for row, word in zip(rows, words, strict=True):
        assert row["word"][:1] not in set("=+-@\t\r") or not row["word"]
        assert row["word"].removeprefix("'") == word or row["word"] == word
    assert [row["word"] for row in rows if row["word"][:1] != "'"] == ["a=b", "", "<script>"]
    # Numbers are as they were, and the texts can be had back.
    assert [row["x"] for row in rows] == [str(-i) for i in range(len(words))]
    assert {row["y"] for row in rows} == {"1", ""}
    back = read_csv(io.StringIO(text))["word"]
    assert back.fillna("").tolist() == words


def test_a_sliced_table_and_an_empty_one_can_be_written(tmp_path):
    table = pd.DataFrame({"word": ["a", "b", "c"], "x": [1.0, 2.0, 3.0]})
    assert written(table[table["x"] > 1], tmp_path)["md"].splitlines()[2:] == [
        "| b | 2.000 |",
        "| c | 3.000 |",
    ]
    text = written(pd.DataFrame(columns=["word", "ci_low"]), tmp_path)
    assert text["md"].splitlines() == ["| word | ci low |", "| --- | --- |"]
    assert text["csv"].strip() == "word,ci_low"
    assert r"\toprule" in text["tex"]


def test_markdown_escapes_headings_too():
    assert markdown(pd.DataFrame({"a|b": ["x"]})).splitlines()[0] == r"| a\|b |"


def test_a_page_shows_a_table_and_lets_nothing_out_of_its_cells(tmp_path):
    table = pd.DataFrame({"a<b": AWKWARD, "n_of": range(len(AWKWARD))})
    text = written(table, tmp_path)["html"]
    assert text.startswith("<!doctype html>") and "<caption>T</caption>" in text
    assert re.findall(r'<th scope="col">(.*?)</th>', text) == ["a&lt;b", "n of"]
    shown = [html.unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", text)]
    assert shown[::2] == AWKWARD
    assert not re.search(r"<script|<link|https?:|url\(", text)


def test_a_page_escapes_its_title():
    assert "<title>a &lt; b</title>" in page("a < b", html_table(pd.DataFrame({"x": []}), "x"))


def test_prose_becomes_headings_lists_and_paragraphs():
    text = "# A & B\n\none\ntwo *three* **four**\n\n## C\n\n- `a*b*` [x](y.md)\n- a < b\n  c\n"
    assert html_prose(text).splitlines() == [
        "<h1>A &amp; B</h1>",
        "<p>one",
        "two <em>three</em> <strong>four</strong></p>",
        "<h2>C</h2>",
        "<ul>",
        "<li><code>a*b*</code> x</li>",
        "<li>a &lt; b",
        "c</li>",
        "</ul>",
    ]


#: Text that readers of CSV take for something else.
LOOKALIKES = ["007", "1", "1e5", "100", "null", "nan", "NA", "None", "true", "True", "inf", "-1"]


@pytest.mark.parametrize("words", [LOOKALIKES, ["7", "007"], ["true", "True"], ["nan", "null"]])
@pytest.mark.parametrize("column", ["word", "model", "condition", "stratum"])
def test_text_is_read_back_as_text_whatever_it_looks_like(tmp_path, column, words):
    table = pd.DataFrame({column: words, "value": 0.5, "found": True, "n": 3})
    write_csv(table, tmp_path / "table.csv")
    back = read_csv(tmp_path / "table.csv")
    assert back[column].tolist() == words
    assert [back[name].dtype.kind for name in ("value", "found", "n")] == ["f", "b", "i"]


def test_only_what_is_empty_is_missing(tmp_path):
    table = pd.DataFrame({"null_model": ["none", None], "value": [math.inf, math.nan]})
    write_csv(table, tmp_path / "table.csv")
    back = read_csv(tmp_path / "table.csv")
    assert back["null_model"].tolist()[0] == "none" and pd.isna(back["null_model"][1])
    assert back["value"].tolist()[0] == math.inf and math.isnan(back["value"][1])
    write_csv(table.assign(null_model=None), tmp_path / "table.csv")
    assert read_csv(tmp_path / "table.csv")["null_model"].isna().all()


def test_tables_of_studies_have_one_reader():
    own = ROOT / "src/textualization/report/csv_tables.py"
    others = [p for folder in ("src", "scripts") for p in (ROOT / folder).rglob("*.py") if p != own]
    # Tab-separated files are Snakemake's.
    read = [p for p in others if re.search(r"pd\.read_csv\((?!.*sep=)", p.read_text("utf-8"))]
    assert read == [] and "word" in TEXT
