"""A headline number beside one of its nulls: how much of it is left."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from textualization.estimates import clustered, excess, holm, rate, rate_difference
from textualization.presenting import write_for_people

NEURON = ["site", "layer", "index"]
COLUMNS = ["claim", "null_model", "statistic", "n", "null_n", "draws", "value", "null_value"]
COLUMNS += ["null_low", "null_high", "excess", "excess_low", "excess_high", "p", "p_adjusted"]
COLUMNS += ["dominance"]


class Comparison(NamedTuple):
    """The model's rows and a null's, which column of each is compared, within what, and how."""

    claim: str
    null: str
    model: pd.DataFrame
    of_model: str
    nulls: pd.DataFrame
    of_null: str
    by: str = "layer"
    statistic: Callable = np.mean
    is_rate: bool = True  # of words: whether each came back, or did not


def compared(comparison: Comparison, permutations, **how) -> dict:
    """The excess of a claim's statistic over a null's, over the layers or words that both have."""
    claim, null, model, of_model, nulls, of_null, by, statistic, is_rate = comparison
    # Restarts of one neuron or word count as one, their mean.
    keys = NEURON if by == "layer" else ["word"]
    model = model.astype({of_model: float}).groupby(keys)[of_model].mean().dropna().reset_index()
    nulls = nulls.astype({of_null: float}).groupby([*keys, "draw"])[of_null].mean().dropna()
    nulls = nulls.reset_index()
    common = np.intersect1d(model[by], nulls[by])
    model, nulls = model[model[by].isin(common)], nulls[nulls[by].isin(common)]
    random = nulls["draw"].nunique() > 1
    found = excess(
        model[of_model].to_numpy(),
        model[by].to_numpy(),
        nulls[of_null].to_numpy(),
        nulls[by].to_numpy(),
        nulls["draw"].to_numpy() if random else None,
        statistic,
        permutations=permutations,
        **how,
    )
    value, low, high = clustered(nulls[of_null], nulls[by], statistic, **how)
    bounds = [found.low, found.high]
    if by == "word" and is_rate:
        # A word counts once, however many draws it fell to.
        value, low, high = rate(nulls.groupby(by)[of_null].mean(), how["confidence"])
        # Where all words come back a bootstrap has no width: no narrower, then, than rates can be told.
        own = rate_difference(model[of_model].mean(), value, len(common), how["confidence"])
        bounds = [np.fmin(bounds[0], own[0]), np.fmax(bounds[1], own[1])]
    return {
        "claim": claim,
        "null_model": null,
        "statistic": statistic.__name__,
        "n": len(model),
        "null_n": len(nulls),
        "draws": nulls["draw"].nunique(),
        "value": statistic(model[of_model]) if len(model) else np.nan,
        "null_value": value,
        "null_low": low,
        "null_high": high,
        "excess": found.value,
        "excess_low": bounds[0],
        "excess_high": bounds[1],
        "p": found.p,
        "dominance": found.dominance,
    }


def write_comparisons(rows: list[dict], csv, md, tex, html) -> None:
    """One row per claim and null; p corrected for the number of tests in the table."""
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["p_adjusted"] = holm(table["p"].to_numpy(dtype=float))
    write_for_people(table, csv, md, tex, html)
