"""Sentences about claims and their nulls."""

import pandas as pd

from textualization.report.tables import readable

#: Wording of the verdicts on nulls in sentences.
READS = {"above null": "above", "below null": "below", "not told apart": "not told apart"}
READS |= {"no interval": "no interval"}


def with_interval(value, low, high) -> str:
    """Format `0.500 [0.326, 0.674]`; without the brackets if there is no interval."""
    text = readable(float(value)) or "not reached"
    if pd.isna(low) or pd.isna(high):
        return text
    return f"{text} [{_bound(low)}, {_bound(high)}]"


def _bound(value) -> str:
    return "∞" if value == float("inf") else readable(float(value))


def against_nulls(nulls: pd.DataFrame) -> str:
    """Describe a claim's nulls in one line. nulls: the claim's rows of the claims table."""
    parts = []
    for row in nulls.itertuples():
        own, null = (readable(float(v)) or "not reached" for v in (row.value, row.null_value))
        part = f"{row.null_model.replace('_', ' ')} {null}, model {own}"
        part += f" ({READS[row.verdict]}"
        if pd.notna(row.excess):
            part += ", excess " + with_interval(row.excess, row.excess_low, row.excess_high)
        parts.append(part + ")")
    return "; ".join(parts)


def sorted_by_null_models(claims: pd.DataFrame, null_models) -> dict[str, list[str]]:
    """Sort claims by the null models that they differ from.

    Args:
        claims: one model's rows of the claims table.
        null_models: names of the null models; claims without any of them are left out.

    Returns:
        Names of claims: `all`, beyond every null model (above it, or below it for a threshold); `none`,
        different from none; `some`, all others. Without an interval, a claim counts as not different.
    """
    found = {"all": [], "some": [], "none": []}
    compared = claims[claims["null_model"].isin(null_models)]
    for name, rows in compared.groupby("claim", sort=False):
        beyond = "below null" if ".threshold." in name else "above null"
        holds = (rows["verdict"] == beyond).all()
        apart = rows["verdict"].isin(("above null", "below null")).any()
        found["all" if holds else "some" if apart else "none"].append(name)
    return found


def lines(claims: pd.DataFrame, names, nulls) -> list[str]:
    """Format one line per claim, with its value and those of the named nulls."""
    text = []
    for name in names:
        rows = claims[claims["claim"] == name]
        own = rows[rows["null_model"].isna()].iloc[0]
        value = with_interval(own["value"], own["ci_low"], own["ci_high"])
        others = against_nulls(rows[rows["null_model"].isin(nulls)])
        text.append(f"- {own['statement']}: **{value}**" + (f"; {others}." if others else "."))
    return text


#: The claims that say in short what a study found, and their sentences.
SHORT = {
    "single.nearest_cosine": "The optimum of a single neuron lies at a cosine of {value} from its "
    "nearest word ({nulls}).",
    "group.threshold.absolute.67": "67 % of words are recovered from their {value} strongest neurons "
    "({nulls}).",
    "single.explanation": "Closeness to a neuron's optimum predicts which words activate the neuron "
    "with a correlation of {value} ({nulls}).",
}


#: The sentence for a threshold that is not reached.
NOT_REACHED = "At no group size studied are 67 % of words recovered ({nulls})."


def in_short(claims: pd.DataFrame, null_models) -> str:
    """Say in up to three sentences what a study found of a model, beside its null models.

    Args:
        claims: one model's rows of the claims table.
        null_models: names of the null models.
    """
    text = []
    for name, sentence in SHORT.items():
        rows = claims[claims["claim"] == name]
        if not len(rows) or (pd.isna(rows["value"].iloc[0]) and ".threshold." not in name):
            continue
        own = rows[rows["null_model"].isna()].iloc[0]
        of_nulls = rows.set_index("null_model")["null_value"]
        nulls = ", ".join(
            f"{null.replace('_', ' ')} weights: {readable(float(of_nulls[null])) or 'not reached'}"
            for null in null_models
            if null in of_nulls
        )
        value = readable(float(own["value"]))
        sentence = sentence if value else NOT_REACHED
        text.append(sentence.format(value=value, nulls=nulls or "no null model"))
    return " ".join(text)


#: What has twins, in sentences.
TWINNED = {"singles": "single neurons", "groups": "groups"}
#: What it means if any did.
IRREPRODUCIBLE = (
    " Nobody can reproduce single optima of this protocol, since every machine rounds its own way."
)


def of_twins(tables) -> str:
    """Say how many twins end at another nearest word. tables: the tables `twins` of some models."""
    of, elsewhere = [], []
    for kind, name in TWINNED.items():
        chosen = [table[_over_all(table) & (table["of"] == kind)] for table in tables]
        if count := sum(int(table["twins"].sum()) for table in chosen):
            of.append(f"{count} {name}")
            elsewhere.append(sum(int(table["elsewhere"].sum()) for table in chosen))
    if not of:
        return ""
    ended = " and ".join(map(str, elsewhere)) if any(elsewhere) else "none"
    text = (
        f"Of {' and '.join(of)} that ascended again from a start moved by one rounding, "
        f"{ended} ended at another nearest word."
    )
    return text + (IRREPRODUCIBLE if any(elsewhere) else "")


def _over_all(table) -> pd.Series:
    return (table["layer"] == "all") | (table["selection"] == "all")
