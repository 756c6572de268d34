"""Single neurons by layer, and over all layers.

The table gives the mean cosine of the optimum to the nearest word, the median and quartiles of
three kinds of utilisation, and the optimum's median share of the exact ceiling that LayerNorm sets.
"""

import pandas as pd

from study.job import run
from study.results import coordinates
from textualization.analysis.estimates import Intervals
from textualization.analysis.summaries import singles_by_layer
from textualization.models.layernorm import expected_magnitude
from textualization.report.tables import TableFiles, write_for_people


def main(singles, weights, intervals: Intervals, files: TableFiles) -> None:
    neurons = pd.read_parquet(singles)
    expected = coordinates(neurons, weights, expected_magnitude)
    write_for_people(singles_by_layer(neurons, intervals, expected), files)


if "snakemake" in globals():
    run(main, snakemake)
