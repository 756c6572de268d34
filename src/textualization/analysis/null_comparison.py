"""Comparison of a claim's number with one of its nulls."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from textualization.analysis.estimates import (
    Intervals,
    clustered,
    excess,
    holm,
    rate,
    rate_difference,
)
from textualization.report.tables import TableFiles, write_for_people

NEURON = ["site", "layer", "index"]
COLUMNS = ["claim", "null_model", "statistic", "n", "null_n", "draws", "value", "null_value"]
COLUMNS += ["null_low", "null_high", "excess", "excess_low", "excess_high", "p", "p_adjusted"]
COLUMNS += ["dominance"]


class Comparison(NamedTuple):
    """One comparison of a model with a null.

    claim, null: names of the claim and the null.
    model, of_model: the model's rows, and the compared column.
    nulls, of_null: the null's rows, and the compared column.
    by: `layer` (single neurons) or `word` (groups), the clusters.
    is_rate: whether the values of words are successes (recovered or not).
    """

    claim: str
    null: str
    model: pd.DataFrame
    of_model: str
    nulls: pd.DataFrame
    of_null: str
    by: str = "layer"
    statistic: Callable = np.mean
    is_rate: bool = True


def compared(comparison: Comparison, permutations: int, intervals: Intervals) -> dict:
    """Compute the excess of a claim's statistic over a null's, over the layers or words of both.

    Args:
        comparison: what is compared.
        permutations, intervals: see `excess`.

    Returns:
        A row of COLUMNS, without `p_adjusted`.
    """
    claim, null, model, of_model, nulls, of_null, by, statistic, is_rate = comparison
    # The restarts of a neuron or word count as one value, their mean.
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
        intervals,
        permutations,
    )
    value, low, high = clustered(nulls[of_null], nulls[by], statistic, intervals)
    bounds = [found.low, found.high]
    if by == "word" and is_rate:
        # A word counts once, in however many replicates it is.
        value, low, high = rate(nulls.groupby(by)[of_null].mean(), intervals.confidence)
        # If all words are recovered, the bootstrap interval has width 0: widen it to that of the rates.
        own = rate_difference(model[of_model].mean(), value, len(common), intervals.confidence)
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


def write_comparisons(rows: list[dict], files: TableFiles) -> None:
    """Write a row per claim and null, with p corrected for the number of tests in the table.

    Args:
        rows: results of `compared`.
        files: the table's files.
    """
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["p_adjusted"] = holm(table["p"].to_numpy(dtype=float))
    write_for_people(table, files)
