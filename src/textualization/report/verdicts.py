"""Verdicts on claims: rules that compare a value with the paper's number and with nulls."""

import math

import pandas as pd

#: Verdicts of a claim compared with the paper's number.
VERDICTS = ("reproduced", "reproduced, as by a null", "reproduced, no null run", "differs")
VERDICTS += ("not comparable",)
#: Verdicts of a claim compared with one of its nulls.
NULL_VERDICTS = ("above null", "below null", "not told apart", "no interval")

COLUMNS = ["claim", "model", "statement", "paper", "value", "ci_low", "ci_high", "n"]
COLUMNS += ["twin_change"]
COLUMNS += ["null_model", "null_value", "excess", "excess_low", "excess_high", "p_adjusted"]
COLUMNS += ["dominance", "verdict", "protocol"]


def null_verdict(low: float, high: float, p: float, alpha: float) -> str:
    """Judge an excess over a null.

    Args:
        low, high: interval of the excess; NaN if there is none.
        p: p-value, corrected for multiple testing; NaN if there is no test.
        alpha: significance level.

    Returns:
        `above null` or `below null`: the interval excludes 0, and p is at most `alpha` or NaN.
        `not told apart`: otherwise, though the values need not be equal. `no interval`: a bound is NaN.
    """
    if math.isnan(low) or math.isnan(high):
        return "no interval"
    if (low <= 0 <= high) or p > alpha:
        return "not told apart"
    return "above null" if low > 0 else "below null"


def verdict(value: float, low: float, high: float, paper, comparable: bool, nulls) -> str:
    """Judge a value against the paper's number and against null models.

    Args:
        value, low, high: the value and its interval; a NaN bound counts as the value.
        paper: a number, a band [from, to], or None.
        comparable: whether model and protocol are the paper's.
        nulls: the claim's verdicts on null models (NULL_VERDICTS).

    Returns:
        `not comparable`: not comparable, or `paper` is None. `differs`: the interval does not overlap
        the paper's number or band, or the value is NaN. Otherwise `reproduced`: the value differs from
        every null model's; `reproduced, as by a null`: not from every one; `reproduced, no null run`:
        no null model was requested.
    """
    if not comparable or paper is None:
        return "not comparable"
    if math.isnan(value):
        return "differs"
    lower, upper = paper if isinstance(paper, (list, tuple)) else (paper, paper)
    low, high = (value if math.isnan(bound) else bound for bound in (low, high))
    if not (low <= upper and high >= lower):
        return "differs"
    if not nulls:
        return "reproduced, no null run"
    apart = all(found in ("above null", "below null") for found in nulls)
    return "reproduced" if apart else "reproduced, as by a null"


def by_equivalent(judged: str) -> str:
    """Mark a verdict on the paper's number as one by a solver that stands for the paper's."""
    return judged if judged == "not comparable" else f"{judged} (equivalent solver)"


def paper_text(paper) -> str:
    """Format the paper's number or band for a table."""
    if paper is None:
        return ""
    if isinstance(paper, (list, tuple)):
        return f"{paper[0]:g} to {paper[1]:g}"
    return f"{paper:g}"


def claims_table(rows: list[dict]) -> pd.DataFrame:
    """Return a table with COLUMNS: a row per claim, followed by a row for each of its nulls."""
    return pd.DataFrame(rows, columns=COLUMNS)
