"""The paper's claims beside what this study found, and the rule that judges them."""

import math

import pandas as pd

VERDICTS = ("reproduced", "differs", "not comparable")


def verdict(value: float, low: float, high: float, paper, comparable: bool) -> str:
    """Judge one value against the paper's.

    paper: a number or a [from, to] band, or None where the paper prints none.
    `not comparable`: another model or another protocol than the paper's, or nothing to compare.
    `reproduced`: the interval [low, high] meets the paper's number or band. `differs`: it does not,
    or there is no value (NaN).
    """
    if not comparable or paper is None:
        return "not comparable"
    if math.isnan(value):
        return "differs"
    lower, upper = paper if isinstance(paper, (list, tuple)) else (paper, paper)
    low, high = (value if math.isnan(bound) else bound for bound in (low, high))
    return "reproduced" if low <= upper and high >= lower else "differs"


def paper_text(paper) -> str:
    """The paper's number as a table shows it."""
    if paper is None:
        return ""
    if isinstance(paper, (list, tuple)):
        return f"{paper[0]:g} to {paper[1]:g}"
    return f"{paper:g}"


def claims_table(rows: list[dict]) -> pd.DataFrame:
    """Columns in their order: claim, model, statement, paper, value, interval, n, verdict, protocol."""
    columns = ["claim", "model", "statement", "paper", "value", "ci_low", "ci_high", "n"]
    return pd.DataFrame(rows, columns=[*columns, "verdict", "protocol"])
