"""Alt texts of figures, generated from the plotted data."""

import numpy as np
import pandas as pd


def number(value: float, unit: str = "") -> str:
    """Format a number with three digits and its unit; `not reached` if it is not finite."""
    if not np.isfinite(value):
        return "not reached"
    text = f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return ("0" if text == "-0" else text) + unit


def interval(name: str, value: float, low: float, high: float, unit: str = "") -> str:
    """Format `name: value (low to high)`; a non-finite bound reads `not reached`."""
    if not np.isfinite(value):
        return f"{name}: not reached"
    return f"{name}: {number(value, unit)} ({number(low)} to {number(high)})"


def course(name: str, x, y, unit: str = "") -> str:
    """Describe a line by its two ends, and by its extremes if they lie between.

    Args:
        name: what the line shows.
        x, y: the points, in any order; non-finite ones are left out.
        unit: unit of y.
    """
    drawn = pd.DataFrame({"x": np.asarray(x, float), "y": np.asarray(y, float)})
    drawn = drawn[np.isfinite(drawn).all(axis=1)].sort_values("x", kind="stable")
    if not len(drawn):
        return f"{name}: nothing drawn"
    (first, start), (last, end) = drawn.iloc[[0, -1]].to_numpy()
    if len(drawn) == 1:
        return f"{name}: {number(start, unit)} at {number(first)}"
    ends = [number(value, unit) for value in (start, end)]
    extremes = [
        f", {what} {number(value, unit)} at {number(at)}"
        for what, (at, value) in (
            ("highest", drawn.loc[drawn["y"].idxmax()]),
            ("lowest", drawn.loc[drawn["y"].idxmin()]),
        )
        if number(value, unit) not in ends
    ]
    if ends[0] == ends[1]:
        way = "begins and ends at" if extremes else "stays at"
        text = f"{name} {way} {ends[0]} from {number(first)} to {number(last)}"
    else:
        way = "rises" if end > start else "falls"
        text = f"{name} {way} from {ends[0]} at {number(first)} to {ends[1]} at {number(last)}"
    return text + "".join(extremes)


def spread(name: str, values, unit: str = "") -> str:
    """Format `name: median m, quartiles a to b` for the finite values."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if not len(values):
        return f"{name}: nothing drawn"
    low, middle, high = (number(q, unit) for q in np.quantile(values, (0.25, 0.5, 0.75)))
    return f"{name}: median {middle}, quartiles {low} to {high}"


def alt_text(opening: str, facts) -> str:
    """Format the sentence `Opening: fact; fact; … .`, or `Opening: nothing drawn.` without facts."""
    return f"{opening[:1].upper()}{opening[1:]}: {'; '.join(facts) or 'nothing drawn'}."
