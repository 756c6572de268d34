"""Bars for calls that take seconds, on a terminal or in a notebook. `TQDM_DISABLE=1` hides them."""

import os
import warnings

from tqdm import std

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # without ipywidgets a notebook has no bars, and needs none
    from tqdm.autonotebook import tqdm

#: Seconds before a bar appears.
DELAY = 2.0


def bar(description: str, unit: str, total: int | None = None, **options) -> std.tqdm:
    """Make a bar that removes itself at the end.

    Args:
        description: what takes its time.
        unit: what is counted.
        total: how many of it; None if that is set later.
        options: further options of tqdm.

    Returns:
        The bar; one that does nothing (`disable`) if nobody would see it.
    """
    hidden = None if tqdm is std.tqdm else False  # None: hidden unless on a terminal
    hidden = True if os.environ.get("TQDM_DISABLE") else hidden
    settings = {"delay": DELAY, "leave": False, "disable": hidden, **options}
    return tqdm(desc=description, unit=f" {unit}", total=total, **settings)
