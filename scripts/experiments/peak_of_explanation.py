"""Where explanation is highest along the ascent, by layer and by group size.

A row gives the number of steps at which mean explanation is highest, that mean, the activation reached
there (as a share of the highest), and both at the last number of steps. The peak is the highest of
several means, so chance raises it, more so with few objectives.
"""

import pandas as pd

from study.job import run
from study.results import read_experiment
from textualization.report.tables import TableFiles, write_for_people

KEYS = ["null", "of", "layer", "size"]
MEASURES = ["explanation", "activation_share"]
COLUMNS = ["condition", *KEYS, "n", "steps", *MEASURES, "last_steps"]
COLUMNS += [f"last_{measure}" for measure in MEASURES]


def main(optima, files: TableFiles) -> None:
    write_for_people(peaks(read_experiment(optima)), files)


def peaks(optima: pd.DataFrame) -> pd.DataFrame:
    """Find the peak of mean explanation among conditions that differ in their steps alone.

    Args:
        optima: of an experiment, see `study.results.read_experiment`.

    Returns:
        A row per condition (named without its steps), null, and layer (single neurons; also `all`) or
        group size: `n` objectives, `steps`, and MEASURES there and at the last number of steps.
    """
    optima = optima.rename(columns={"kind": "of"})
    is_single = optima["of"] == "single"
    optima = optima.assign(
        condition=optima["condition"].str.replace(r" steps=\d+", "", regex=True),
        layer=optima["layer"].astype(str).where(is_single, ""),
    )
    rows = []
    for (condition, _), along in optima.groupby(["condition", "null"], sort=False):
        whole = along[along["of"] == "single"].assign(layer="all")
        for keys, same in pd.concat([along, whole]).groupby(KEYS, sort=False):
            rows += _peak({"condition": condition} | dict(zip(KEYS, keys, strict=True)), same)
    return pd.DataFrame(rows, columns=COLUMNS)


def _peak(row, optima) -> list[dict]:
    """Return the row of one course; none if it has a single point."""
    means = optima.groupby("steps")[MEASURES].mean()
    if len(means) < 2 or means["explanation"].isna().all():
        return []
    steps, last = means["explanation"].idxmax(), means.index[-1]
    row |= {"n": int((optima["steps"] == steps).sum()), "steps": int(steps), **means.loc[steps]}
    return [row | {"last_steps": int(last), **means.loc[last].add_prefix("last_")}]


if "snakemake" in globals():
    run(main, snakemake)
