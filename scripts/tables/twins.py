"""Optima and their twins: the same ascents, from starts moved by one rounding.

The table counts the twins that end at another nearest word, with a Wilson interval, and gives the
cosine between the two optima and the largest change of the activation, as a share of it.
`twins_claims.csv` has the value of every claim over the objectives that have twins, and over their
twins. What differs depends on rounding: on processor, batch and version as well as on the start.
"""

import numpy as np
import pandas as pd

from study.job import run
from study.results import measures_of
from textualization.analysis.claims import (
    explanation_claims,
    recovery_claims,
    single_claims,
    threshold_claims,
)
from textualization.analysis.estimates import Intervals
from textualization.analysis.summaries import (
    recovery_by_size,
    singles_by_layer,
    thresholds_by_rate,
)
from textualization.analysis.twins import KEYS, differences, place_of_each, summary
from textualization.report.csv_tables import write_csv
from textualization.report.tables import TableFiles, write_for_people

COLUMNS = ["of", "site", "layer", "selection", "size", "twins", "elsewhere", "share", "ci_low"]
COLUMNS += ["ci_high", "median_cosine", "smallest_cosine", "largest_change"]


def main(
    weights, sites, levels, intervals: Intervals, files: TableFiles, claims, singles=None,
    groups=None,
) -> None:  # fmt: skip
    """Write both tables. singles, groups: files of the study's optima and of the twins', each as table
    and embeddings; None if the study has no such twins.
    """
    rows, changes = [], []
    if singles:
        own, twins, found = _paired("singles", singles)
        rows += _of_singles(found.join(own[["site", "layer"]]), intervals.confidence)
        measures = measures_of(weights, sites["singles"])
        site = sites["singles"][0]
        sides = (_single_claims(table, site, measures, intervals) for table in (own, twins))
        changes += _changes(*sides)
    if groups:
        own, twins, found = _paired("groups", groups)
        rows += _of_groups(found.join(own[["selection", "size"]]), intervals.confidence)
        measures = measures_of(weights, sites["groups"])
        sides = (_group_claims(table, levels, measures, intervals) for table in (own, twins))
        changes += _changes(*sides)
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"size": "Int64"})
    write_for_people(table, files)
    columns = ["claim", "n", "value", "twin_value", "twin_change"]
    write_csv(pd.DataFrame(changes, columns=columns), claims)


def _paired(kind, files):
    """Read the optima that have twins, the twins in the same order, and how they differ."""
    own, own_embeddings, twins, twin_embeddings = files
    own, twins = pd.read_parquet(own), pd.read_parquet(twins)
    places = place_of_each(own, twins, KEYS[kind])
    own = own.iloc[places].reset_index(drop=True)
    embeddings = np.load(own_embeddings, mmap_mode="r")[places]
    return own, twins, differences(own, twins, embeddings, np.load(twin_embeddings))


def _of_singles(found, confidence) -> list[dict]:
    rows = []
    for site, of_site in found.groupby("site", observed=True):
        layers = [(str(layer), of_layer) for layer, of_layer in of_site.groupby("layer")]
        for layer, chosen in [*layers, ("all", of_site)]:
            row = {"of": "singles", "site": site, "layer": layer}
            rows.append(row | summary(chosen, confidence))
    return rows


def _of_groups(found, confidence) -> list[dict]:
    sizes = found.groupby(["selection", "size"], observed=True)
    rows = [
        {"of": "groups", "selection": selection, "size": size} | summary(chosen, confidence)
        for (selection, size), chosen in sizes
    ]
    return [*rows, {"of": "groups", "selection": "all"} | summary(found, confidence)]


def _single_claims(singles, site, measures, intervals):
    table = singles_by_layer(singles, intervals)
    return single_claims(table, singles, site, measures, intervals.confidence)


def _group_claims(groups, levels, measures, intervals):
    by_size = recovery_by_size(groups, intervals)
    claims = recovery_claims(by_size) + explanation_claims(by_size, measures)
    return claims + threshold_claims(thresholds_by_rate(groups, levels, intervals)[0])


def _changes(own, twins) -> list[tuple]:
    """List each claim's value over the objectives that have twins, over the twins, and the change."""
    return [
        (one.name, one.n, one.value, other.value, other.value - one.value)
        for one, other in zip(own, twins, strict=True)
    ]


if "snakemake" in globals():
    run(main, snakemake)
