"""A figure of the ascents and the nearest words of optima."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.font_manager import FontProperties, findfont, get_font

from textualization.report.plotting import MODELS, STYLE, TWO_COLUMNS

#: Number of optima whose nearest words are drawn, and of words for each.
DRAWN, WORDS = 4, 5


def draw(optima):
    """Plot the ascents of optima, and the nearest words of the first ones.

    Args:
        optima: a `textualization.optima.Optima`.

    Returns:
        A matplotlib Figure.
    """
    arrays, names = optima.arrays, optima.arrays.objectives["objective"]
    share = np.isfinite(arrays.ceiling) & (arrays.ceiling > 0)
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(TWO_COLUMNS, 2.6))
        for row, name in enumerate(names):
            style = MODELS[row % len(MODELS)]
            curve = arrays.curve[:, row] / (arrays.ceiling[row] if share.all() else 1)
            left.plot(arrays.steps, curve, color=style["color"], ls=style["linestyle"], label=name)
        left.set(xlabel="step", ylabel="share of the ceiling" if share.all() else "activation")
        left.set_xscale("symlog", linthresh=1)
        if len(names) <= 2 * DRAWN:
            left.legend()
        nearest = optima.nearest_words(WORDS)
        shown = nearest.groupby(["objective", "restart"], sort=False).ngroup() < DRAWN
        nearest = nearest[shown]
        places = np.arange(len(nearest))[::-1]
        rows = nearest.groupby(["objective", "restart"], sort=False).ngroup()
        colours = [MODELS[row]["color"] for row in rows]
        right.barh(places, nearest["cosine"], color=colours, height=0.7)
        right.set_yticks(places, labels=[_drawable(word) for word in nearest["word"]])
        right.set(xlabel="cosine to the optimum")
    plt.close(figure)  # otherwise a notebook would show the figure twice
    return figure


def _drawable(word: str) -> str:
    """Write characters that the font lacks as their codes."""
    font = get_font(findfont(FontProperties()))
    return "".join(c if font.get_char_index(ord(c)) else f"\\u{ord(c):04x}" for c in word)
