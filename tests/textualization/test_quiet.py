"""Notices of other libraries that say nothing to a user do not appear; their warnings do."""

import logging

import textualization as tx
from paths import DATA


def test_a_figure_comes_without_the_notice_of_the_font_cache_and_with_other_warnings(caplog):
    optima = tx.ascend(tx.load(DATA / "tiny-deep", device="cpu"), ["output/1/0"], steps=2)
    optima.plot()
    fonts = logging.getLogger("matplotlib.font_manager")
    fonts.warning("Matplotlib is building the font cache; this may take a moment.")
    fonts.warning("findfont: Font family 'Sans' not found.")
    assert caplog.messages == ["findfont: Font family 'Sans' not found."]


def test_loading_and_ascending_print_nothing(capfd):
    model = tx.load(DATA / "tiny-deep", device="cpu")
    tx.ascend(model, ["output/1/0"], steps=2).table()
    assert capfd.readouterr() == ("", "")
