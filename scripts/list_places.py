"""Several free positions: what is found where the neurons are read, and what beside it."""

import numpy as np
import pandas as pd

from running import run
from sweeping import read_sweep
from textualization.estimates import centre
from textualization.presenting import write_for_people

MEASURES = ("nearest_cosine", "nearest_cosine_elsewhere", "activation_share", "norm")
OF_GROUPS = ("recovered", "recovered_elsewhere")


def main(optima, confidence, resamples, seed, csv, md, tex, html) -> None:
    how = {"confidence": confidence, "resamples": resamples, "seed": seed}
    optima, rows = read_sweep(optima), []
    for (null, kind, length, place), same in optima.groupby(["null", "kind", "length", "place"]):
        row = {"null": null, "of": kind, "length": length, "place": place, "n": len(same)}
        for measure in MEASURES + (OF_GROUPS if kind == "group" else ()):
            value, low, high = centre(same[measure].astype(float), np.mean, **how)
            row |= {measure: value, f"{measure}_low": low, f"{measure}_high": high}
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
