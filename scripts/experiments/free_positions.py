"""Optima with several free positions, by the number of positions and by the position that is read.

Cosines, activation, norm and recovery are means with bootstrap intervals, at the position that is
read and at the other positions.
"""

import numpy as np
import pandas as pd

from study.job import run
from study.results import read_experiment
from textualization.analysis.estimates import Intervals, centre
from textualization.report.tables import TableFiles, write_for_people

MEASURES = ("nearest_cosine", "nearest_cosine_elsewhere", "activation_share", "norm")
OF_GROUPS = ("recovered", "recovered_elsewhere")


def main(optima, intervals: Intervals, files: TableFiles) -> None:
    optima, rows = read_experiment(optima), []
    for (null, kind, length, place), same in optima.groupby(["null", "kind", "length", "place"]):
        row = {"null": null, "of": kind, "length": length, "place": place, "n": len(same)}
        for measure in MEASURES + (OF_GROUPS if kind == "group" else ()):
            value, low, high = centre(same[measure].astype(float), np.mean, intervals)
            row |= {measure: value, f"{measure}_low": low, f"{measure}_high": high}
        rows.append(row)
    write_for_people(pd.DataFrame(rows), files)


if "snakemake" in globals():
    run(main, snakemake)
