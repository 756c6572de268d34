"""Group sizes at which recovery reaches given rates, by selection and scope.

Sizes come from a logistic curve in log size, with bootstrap intervals over words, and from isotonic
regression (isotonic). An infinite bound means that no size studied reaches the rate.
"""

import pandas as pd

from study.job import run
from textualization.analysis.estimates import Intervals
from textualization.analysis.thresholds import fit_threshold, word_thresholds
from textualization.report.tables import TableFiles, write_csv, write_for_people


def main(groups, levels, intervals: Intervals, files: TableFiles, by_word) -> None:
    groups = pd.read_parquet(groups)
    rows, of_words = [], []
    for (selection, scope), group in groups.groupby(["selection", "scope"]):
        recovered = group.pivot_table(index="word", columns="size", values="recovered")
        for level in levels:
            found = fit_threshold(
                recovered.columns.to_numpy(),
                recovered.to_numpy(),
                level,
                intervals,
            )
            percent = round(100 * level)
            row = {"selection": selection, "scope": scope, "percent": percent}
            rows.append(row | {"words": len(recovered)} | found)
            neurons = word_thresholds(recovered.columns.to_numpy(), recovered.to_numpy(), level)
            names = {"selection": selection, "scope": scope, "percent": percent}
            of_words.append(pd.DataFrame({"word": recovered.index, **names, "neurons": neurons}))
    table = pd.DataFrame(rows).rename(columns={"value": "neurons"})
    write_for_people(table, files)
    write_csv(pd.concat(of_words), by_word)


if "snakemake" in globals():
    run(main, snakemake)
