"""Where ascents stall, by condition.

The table gives medians of the activation as a share of the highest, the norm of the input relative
to a mean word's, the cosine to the start, and the relative gain over the last tenth of the steps.
"""

import numpy as np
import pandas as pd

from study.job import run
from study.results import read_experiment
from textualization.analysis.estimates import Intervals, centre
from textualization.report.tables import TableFiles, write_for_people

#: Share of the highest activation; norm relative to a mean word's; cosine to the start; relative gain
#: over the last tenth of the steps.
MEASURES = ("activation_share", "norm", "turned", "gain_at_the_end")


def main(optima, intervals: Intervals, files: TableFiles) -> None:
    optima = read_experiment(optima)
    names = ("steps", "rate", "init_scale", "init_kind", "start", "solver")
    varied = [name for name in names if name in optima]
    rows = []
    for (null, kind, condition), same in optima.groupby(["null", "kind", "condition"], sort=False):
        row = {"null": null, "of": kind, "block": same["block"].iloc[0], "condition": condition}
        row |= {name: same[name].iloc[0] for name in varied} | {"n": len(same)}
        for measure in MEASURES:
            row[measure] = same[measure].median()
        found = centre(same["activation_share"], np.median, intervals)
        row |= {"activation_share_low": found[1], "activation_share_high": found[2]}
        rows.append(row)
    write_for_people(pd.DataFrame(rows), files)


if "snakemake" in globals():
    run(main, snakemake)
