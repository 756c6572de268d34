"""A figure of the ascents and the nearest words of optima."""

import io

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font

from textualization.report.plotting import MODELS, TWO_COLUMNS, house_style

#: Number of optima whose nearest words are drawn, and of words for each.
DRAWN, WORDS = 4, 5


class HouseFigure(Figure):
    """A figure in the house style, also when it is drawn later, amid the user's own settings."""

    def draw(self, renderer):
        """Draw all parts in the house style."""
        with house_style():
            super().draw(renderer)

    def savefig(self, *arguments, **options):
        """Write the figure in the house style; arguments as for `matplotlib.figure.Figure`."""
        with house_style():
            super().savefig(*arguments, **options)

    def _repr_png_(self) -> bytes:
        """Return the pixels that a notebook shows."""
        stream = io.BytesIO()
        self.savefig(stream, format="png", dpi=self.dpi)
        return stream.getvalue()


def draw(optima):
    """Plot the ascents of optima, and the nearest words of the first ones.

    Args:
        optima: a `textualization.optima.Optima`.

    Returns:
        A matplotlib Figure.
    """
    arrays, names = optima.arrays, optima.arrays.objectives["objective"]
    bound = np.where(optima.sign > 0, arrays.ceiling, optima.floor)
    share = (np.isfinite(bound) & (optima.sign * bound > 0)).all()
    kind = "ceiling" if (optima.sign > 0).all() else "ceiling or floor"
    # Without pyplot, which would load the user's backend.
    with house_style():
        figure = HouseFigure(figsize=(TWO_COLUMNS, 2.6))
        left, right = figure.subplots(1, 2)
        for row, name in enumerate(names):
            style = MODELS[row % len(MODELS)]
            curve = arrays.curve[:, row] / (bound[row] if share else 1)
            left.plot(arrays.steps, curve, color=style["color"], ls=style["linestyle"], label=name)
        left.set(xlabel="step", ylabel=f"share of the {kind}" if share else "activation")
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
    return figure


def _drawable(word: str) -> str:
    """Write characters that the font lacks as their codes."""
    font = get_font(findfont(FontProperties()))
    return "".join(c if font.get_char_index(ord(c)) else f"\\u{ord(c):04x}" for c in word)
