"""Recovery against group size, by selection and scope.

Recovery is the share of words that are nearest to the optimum of their own group, with a Wilson
interval over words. Cosines and margins are means with bootstrap intervals over words.
"""

import pandas as pd

from study.job import run
from textualization.analysis.estimates import Intervals
from textualization.analysis.summaries import recovery_by_size
from textualization.report.tables import TableFiles, write_for_people


def main(groups, intervals: Intervals, files: TableFiles) -> None:
    write_for_people(recovery_by_size(pd.read_parquet(groups), intervals), files)


if "snakemake" in globals():
    run(main, snakemake)
