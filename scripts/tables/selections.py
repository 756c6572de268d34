"""Relative selections against absolute selection, on the same words and at the same group size.

The difference in recovery has a bootstrap interval over words. Shared neurons are the share of a
group that both selections choose, next to the share expected by chance.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from study.job import run
from textualization.analysis.estimates import Intervals, paired_difference
from textualization.report.tables import TableFiles, write_for_people

REFERENCE = "absolute"


def main(groups, rankings, intervals: Intervals, files: TableFiles) -> None:
    groups = pd.read_parquet(groups)
    ranked = {tuple(Path(path).stem.split("-")): pd.read_parquet(path) for path in rankings}
    columns = ["selection", "against", "scope", "size", "words", "recovery_difference"]
    columns += ["ci_low", "ci_high", "shared_neurons", "shared_by_chance"]
    rows = []
    for (scope, size), group in groups.groupby(["scope", "size"]):
        rates = group.pivot_table(index="word", columns="selection", values="recovered")
        for selection in rates.columns.drop(REFERENCE, errors="ignore"):
            if REFERENCE not in rates:
                continue
            difference = paired_difference(
                rates[selection].to_numpy(),
                rates[REFERENCE].to_numpy(),
                intervals,
            )
            overlap = _overlap(ranked[selection, scope], ranked[REFERENCE, scope], size)
            row = (selection, REFERENCE, scope, size, len(rates), *difference, *overlap)
            rows.append(dict(zip(columns, row, strict=True)))
    write_for_people(pd.DataFrame(rows, columns=columns), files)


def _overlap(first: pd.DataFrame, second: pd.DataFrame, size: int) -> tuple[float, float]:
    """Return the mean share of a group's neurons that both selections choose, and by chance."""
    keys = ["word", "scope_layer", "site", "layer", "index"]
    chosen = [
        ranking[ranking["rank"] <= size][keys].astype({"word": str, "site": str})
        for ranking in (first, second)
    ]
    shared = len(chosen[0].merge(chosen[1], on=keys))
    pool = second.groupby(["word", "scope_layer"], observed=True).size().to_numpy()
    return shared / len(chosen[0]), float(np.mean(size / pool))


if "snakemake" in globals():
    run(main, snakemake)
