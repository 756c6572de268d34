"""Group sizes at which recovery reaches given rates, by selection and scope.

Sizes come from a logistic curve in log size, with bootstrap intervals over words, and from isotonic
regression (isotonic). An infinite bound means that no size studied reaches the rate.
"""

import pandas as pd

from study.job import run
from textualization.analysis.estimates import Intervals
from textualization.analysis.summaries import thresholds_by_rate
from textualization.report.csv_tables import write_csv
from textualization.report.tables import TableFiles, write_for_people


def main(groups, levels, intervals: Intervals, files: TableFiles, by_word) -> None:
    table, of_words = thresholds_by_rate(pd.read_parquet(groups), levels, intervals)
    write_for_people(table, files)
    write_csv(of_words, by_word)


if "snakemake" in globals():
    run(main, snakemake)
