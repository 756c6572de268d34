"""Sentences made of numbers: what holds, and what does not survive its nulls."""

import pandas as pd

from textualization.presenting import readable

#: How a verdict beside a null reads in a sentence.
READS = {"above null": "above", "below null": "below", "not told apart": "not told apart"}
READS |= {"no interval": "no interval"}


def with_interval(value, low, high) -> str:
    """`0.500 [0.326, 0.674]`; the number alone where there is no interval."""
    told = readable(float(value)) or "not reached"
    if pd.isna(low) or pd.isna(high):
        return told
    return f"{told} [{_bound(low)}, {_bound(high)}]"


def _bound(value) -> str:
    return "∞" if value == float("inf") else readable(float(value))


def beside_nulls(nulls: pd.DataFrame) -> str:
    """A claim's nulls in a line. nulls: its rows of the claims table."""
    parts = []
    for row in nulls.itertuples():
        own, told = (readable(float(v)) or "not reached" for v in (row.value, row.null_value))
        part = f"{row.null_model.replace('_', ' ')} {told} beside {own}"
        part += f" ({READS[row.verdict]}"
        if pd.notna(row.excess):
            part += ", excess " + with_interval(row.excess, row.excess_low, row.excess_high)
        parts.append(part + ")")
    return "; ".join(parts)


def sorted_by_null_models(claims: pd.DataFrame, null_models) -> dict[str, list[str]]:
    """Which claims lie beyond every null model, differ from some or otherwise, and from none: names.

    Beyond is above the null; of a threshold, which is better lower, below it. claims: one model's rows
    of the claims table. Claims without a null model are left out; those of which a null model has no
    interval count as not different from it.
    """
    found = {"all": [], "some": [], "none": []}
    beside = claims[claims["null_model"].isin(null_models)]
    for name, rows in beside.groupby("claim", sort=False):
        beyond = "below null" if ".threshold." in name else "above null"
        holds = (rows["verdict"] == beyond).all()
        apart = rows["verdict"].isin(("above null", "below null")).any()
        found["all" if holds else "some" if apart else "none"].append(name)
    return found


def lines(claims: pd.DataFrame, names, nulls) -> list[str]:
    """One line per claim: its value, and what the given nulls give. nulls: names, in any order."""
    told = []
    for name in names:
        rows = claims[claims["claim"] == name]
        own = rows[rows["null_model"].isna()].iloc[0]
        value = with_interval(own["value"], own["ci_low"], own["ci_high"])
        beside = beside_nulls(rows[rows["null_model"].isin(nulls)])
        told.append(f"- {own['statement']}: **{value}**" + (f"; {beside}." if beside else "."))
    return told
