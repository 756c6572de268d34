"""Where ascents freeze, condition by condition."""

import numpy as np
import pandas as pd

from running import run
from sweeping import read_sweep
from textualization.estimates import centre
from textualization.presenting import write_for_people

#: Of an optimum: its share of the highest activation; its length, in those of a mean word; the cosine
#: to its start; by what share its activation still rose over the last tenth of the steps.
MEASURES = ("activation_share", "norm", "turned", "gain_at_the_end")


def main(optima, confidence, resamples, seed, csv, md, tex, html) -> None:
    optima = read_sweep(optima)
    varied = [c for c in ("steps", "rate", "init_scale", "init_kind", "solver") if c in optima]
    rows = []
    for (null, kind, condition), same in optima.groupby(["null", "kind", "condition"], sort=False):
        row = {"null": null, "of": kind, "block": same["block"].iloc[0], "condition": condition}
        row |= {name: same[name].iloc[0] for name in varied} | {"n": len(same)}
        for measure in MEASURES:
            row[measure] = same[measure].median()
        how = (np.median, confidence, resamples, seed)
        found = centre(same["activation_share"], *how)
        row |= {"activation_share_low": found[1], "activation_share_high": found[2]}
        rows.append(row)
    write_for_people(pd.DataFrame(rows), csv, md, tex, html)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        optima=snakemake.input.optima,
        **dict(snakemake.params.items()),
        **dict(snakemake.output.items()),
    )
