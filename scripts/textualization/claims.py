"""The paper's claims beside what this study and its nulls found, and the rules that judge them."""

import math

import pandas as pd

#: Of a claim beside the paper's number.
VERDICTS = ("reproduced", "reproduced, as by a null", "reproduced, no null run", "differs")
VERDICTS += ("not comparable",)
#: Of a claim beside one of its nulls.
NULL_VERDICTS = ("above null", "below null", "not told apart", "no interval")

COLUMNS = ["claim", "model", "statement", "paper", "value", "ci_low", "ci_high", "n"]
COLUMNS += ["null_model", "null_value", "excess", "excess_low", "excess_high", "p_adjusted"]
COLUMNS += ["dominance", "verdict", "protocol"]


def null_verdict(low: float, high: float, p: float, alpha: float) -> str:
    """Judge one excess over a null.

    `above null`, `below null`: the interval [low, high] of the excess leaves out 0, and p, corrected
    for the number of tests, is at most `alpha`; where there is no test (p is NaN) the interval decides.
    `not told apart`: otherwise, which is not to say that they are equal: the interval says by how much
    they may differ. `no interval`: nothing to decide by.
    """
    if math.isnan(low) or math.isnan(high):
        return "no interval"
    if (low <= 0 <= high) or p > alpha:
        return "not told apart"
    return "above null" if low > 0 else "below null"


def verdict(value: float, low: float, high: float, paper, comparable: bool, nulls) -> str:
    """Judge one value against the paper's, and against its null models.

    paper: a number or a [from, to] band, or None where the paper prints none. nulls: the claim's
    verdicts beside null models (NULL_VERDICTS).
    `not comparable`: another model or another protocol than the paper's, or nothing to compare.
    `reproduced`: the interval [low, high] meets the paper's number or band, and the value differs from
    every null model's; `reproduced, as by a null`: it meets it, but does not differ from all;
    `reproduced, no null run`: it meets it, and no null model was asked for. `differs`: the interval
    does not meet it, or there is no value (NaN).
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


def paper_text(paper) -> str:
    """The paper's number as a table shows it."""
    if paper is None:
        return ""
    if isinstance(paper, (list, tuple)):
        return f"{paper[0]:g} to {paper[1]:g}"
    return f"{paper:g}"


def claims_table(rows: list[dict]) -> pd.DataFrame:
    """One row per claim, its nulls below it, a row each; columns in their order."""
    return pd.DataFrame(rows, columns=COLUMNS)
