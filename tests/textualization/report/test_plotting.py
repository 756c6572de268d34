"""Figures as a set: their size, their fonts, what they say to those who do not see them."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib import rc_context, rcParams
from PIL import Image

from paths import ROOT
from textualization.report.alt_text import alt_text, course, interval, number, spread
from textualization.report.plotting import (
    KINDS,
    MODEL,
    NULLS,
    ONE_COLUMN,
    SELECTIONS,
    TWO_COLUMNS,
    FigureFiles,
    figure,
    legend_above,
    marked,
)

SCRIPTS = sorted(
    path
    for pattern in ("figures/*.py", "*/figure_*.py")
    for path in (ROOT / "scripts").glob(pattern)
)
ALT = "Recovery – against size: model rises from 10 % at 4 to 90 % at 24."
#: Settings as users have them in their own matplotlibrc; the first needs LaTeX.
USERS = ("text.usetex: True\nfont.family: serif\n",)
USERS += ('font.family: serif\naxes.grid: True\naxes.prop_cycle: cycler("color", ["ff00ff"])\n',)
USERS += ("axes.formatter.use_locale: True\npdf.fonttype: 3\npath.simplify_threshold: 1\n",)


def drawn(folder, width=ONE_COLUMN, alt=ALT):
    paths = [str(folder / f"f.{kind}") for kind in ("pdf", "png", "txt")]
    with figure(FigureFiles(*paths), width, 2.0, alt=alt) as axis:
        axis.plot([4, 24], [10, 90], label="‖e‖ $x^2$ é")
        axis.set(xlabel="a label far longer than its axis is wide, so that it is cut or moved" * 2)
        legend_above(axis, 1)
    return paths


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
def test_a_figure_is_as_wide_as_its_columns_whatever_a_user_has_set(tmp_path, width):
    with rc_context({"savefig.bbox": "tight", "savefig.dpi": 50}):
        pdf, png, _ = drawn(tmp_path, width)
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+)", Path(pdf).read_bytes())
    assert float(box[1]) / 72 == pytest.approx(width, abs=1e-3)
    assert float(box[2]) / 72 == pytest.approx(2.0, abs=1e-3)
    assert Image.open(png).size == (round(width * 300), 600)


def test_every_font_is_in_the_pdf(tmp_path):
    content = Path(drawn(tmp_path)[0]).read_bytes()
    fonts = re.findall(rb"/Type /Font\b.*?endobj", content, re.DOTALL)
    described = re.findall(rb"/Type /FontDescriptor.*?endobj", content, re.DOTALL)
    assert fonts and described
    assert not any(b"/Subtype /Type3" in font or b"/Subtype /Type1" in font for font in fonts)
    assert all(b"/FontFile2" in descriptor for descriptor in described)


def test_alt_text_is_beside_a_figure_and_in_it(tmp_path):
    pdf, png, txt = drawn(tmp_path)
    assert Path(txt).read_text(encoding="utf-8") == ALT + "\n"
    assert Image.open(png).text["Description"] == ALT
    assert ALT.encode("utf-16-be") in re.sub(rb"\\(.)", rb"\1", Path(pdf).read_bytes())


def test_a_figure_without_alt_text_is_refused(tmp_path):
    with pytest.raises(ValueError, match="alt text"):
        drawn(tmp_path, alt=" ")
    assert not list(tmp_path.iterdir())


def test_the_same_numbers_give_the_same_files(tmp_path):
    (tmp_path / "again").mkdir()
    for one, other in zip(drawn(tmp_path), drawn(tmp_path / "again"), strict=True):
        assert Path(one).read_bytes() == Path(other).read_bytes()


@pytest.mark.parametrize("users", USERS)
def test_a_users_own_settings_change_no_byte(tmp_path, users):
    own = tmp_path / "matplotlibrc"
    own.write_text(users, encoding="utf-8")
    (tmp_path / "again").mkdir()
    plain = drawn(tmp_path)
    with rc_context(fname=own):
        before = dict(rcParams)
        others = drawn(tmp_path / "again")
        assert dict(rcParams) == before
    for one, other in zip(plain, others, strict=True):
        assert Path(one).read_bytes() == Path(other).read_bytes()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_take_colours_and_widths_from_the_one_style(script):
    text = script.read_text(encoding="utf-8")
    assert not re.search(r"#[0-9A-Fa-f]{6}", text)
    assert re.search(r"figure\(\s*files, (ONE_COLUMN|TWO_COLUMNS), ", text)
    assert re.search(r"alt=alt\b", text) and "savefig" not in text


def test_what_is_drawn_together_is_told_apart_without_colour():
    for styles in (SELECTIONS, KINDS, NULLS | {"model": MODEL}):
        markers = [style["marker"] for style in styles.values()]
        assert len(set(markers)) == len(markers)
    assert marked(MODEL) == {"color": "#000000", "marker": "o"}
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.123"), (12.0, "12"), (1234.5, "1234"), (-0.0, "0"), (np.inf, "not reached")],
)
def test_numbers_are_short(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("y", "text"),
    [
        ([1, 2, 3], "m rises from 1 % at 4 to 3 % at 16"),
        ([3, 2, 1], "m falls from 3 % at 4 to 1 % at 16"),
        ([2, 2, 2], "m stays at 2 % from 4 to 16"),
        ([2, 5, 2], "m begins and ends at 2 % from 4 to 16, highest 5 % at 8"),
        ([2, 1, 3], "m rises from 2 % at 4 to 3 % at 16, lowest 1 % at 8"),
        ([np.nan, 1, np.inf], "m: 1 % at 8"),
        ([np.nan] * 3, "m: nothing drawn"),
    ],
)
def test_a_line_is_told_by_its_ends_and_extremes(y, text):
    assert course("m", [4, 8, 16], y, " %") == text
    assert course("m", [16, 8, 4], y[::-1], " %") == text


def test_intervals_and_spreads_are_told():
    assert interval("m", 0.5, 0.25, np.inf, " %") == "m: 0.5 % (0.25 to not reached)"
    assert interval("m", np.nan, 0, 1) == "m: not reached"
    assert spread("m", [1, 2, 3, np.nan]) == "m: median 2, quartiles 1.5 to 2.5"
    assert spread("m", []) == "m: nothing drawn"
    assert alt_text("a", ["b", "c"]) == "A: b; c."
    assert alt_text("A", []) == "A: nothing drawn."
