"""The numbers that claims are about, read from the summaries of optima."""

from typing import NamedTuple

import pandas as pd

from textualization.analysis.estimates import rate
from textualization.analysis.summaries import KINDS, by_neuron


class Claim(NamedTuple):
    """A claim's number: its name, value and interval, and the n neurons or words that it is over."""

    name: str
    value: float
    low: float
    high: float
    n: int


def single_claims(
    summary: pd.DataFrame, singles: pd.DataFrame, site: str, measures, confidence: float
) -> list[Claim]:
    """List the claims on the single neurons of a site, over all layers.

    Args:
        summary: the table of `singles_by_layer`.
        singles: the described optima that it summarises.
        site: the site.
        measures: measures of explanation that claims are about, as columns.
        confidence: confidence level of rates.
    """
    whole = summary[(summary["site"] == site) & (summary["layer"] == "all")].iloc[0]
    neurons = by_neuron(singles[singles["site"] == site])
    n = int(whole["neurons"])
    cosine = (float(whole[column]) for column in ("nearest_cosine", "ci_low", "ci_high"))
    found = [
        Claim("single.nearest_cosine", *cosine, n),
        Claim("single.nearest_is_best_word", *rate(neurons["nearest_is_best"], confidence), n),
        Claim("single.converged", *rate(neurons["converged"], confidence), n),
    ]
    for measure in measures:
        explained = (float(whole[f"{measure}{bound}"]) for bound in ("", "_low", "_high"))
        found.append(Claim(f"single.{measure}", *explained, int(neurons[measure].notna().sum())))
    for kind in KINDS:
        median = (float(whole[f"{kind}_{column}"]) for column in ("median", "low", "high"))
        counted = int(neurons[f"utilisation_{kind}"].notna().sum())
        found.append(Claim(f"single.utilisation.{kind}", *median, counted))
    return found


def recovery_claims(table: pd.DataFrame) -> list[Claim]:
    """List the claims on recovery in the scope `model`. table: of `recovery_by_size`."""
    return _group_claims(table, "recovery", "size", "recovery", "ci_low", "ci_high")


def explanation_claims(table: pd.DataFrame, measures) -> list[Claim]:
    """List the claims on groups' explanation in the scope `model`.

    Args:
        table: of `recovery_by_size`.
        measures: measures of explanation that claims are about, as columns.
    """
    return [
        claim
        for measure in measures
        for claim in _group_claims(
            table, measure, "size", measure, f"{measure}_low", f"{measure}_high"
        )
    ]


def threshold_claims(table: pd.DataFrame) -> list[Claim]:
    """List the claims on thresholds in the scope `model`. table: of `thresholds_by_rate`."""
    return _group_claims(table, "threshold", "percent", "neurons", "ci_low", "ci_high")


def _group_claims(table: pd.DataFrame, name: str, by: str, *values: str) -> list[Claim]:
    """List a claim per row of the scope `model`, named by its selection and the column `by`."""
    rows = table[table["scope"] == "model"]
    names = [f"group.{name}.{s}.{b}" for s, b in zip(rows["selection"], rows[by], strict=True)]
    numbers = (rows[column] for column in (*values, "words"))
    return [Claim(*row) for row in zip(names, *numbers, strict=True)]
