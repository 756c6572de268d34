"""Optima of several free positions: where they are read, and beside it."""

import numpy as np
import pandas as pd

from running import run
from sweeping import read_sweep
from textualization.estimates import centre, rate
from textualization.plotting import TWO_COLUMNS, figure, shared_legend

#: What is drawn: the column, the kind of objective, the axis.
PANELS = (
    ("nearest_cosine", "single", "single neurons: cosine\nto the nearest word"),
    ("nearest_cosine", "group", "groups: cosine\nto the nearest word"),
    ("activation_share", "group", "groups: activation (share\nof the highest)"),
    ("recovered", "group", "groups: recovery\n(% of words)"),
)
LINES = {
    "model": {"color": "black", "marker": "o", "linestyle": "-"},
    "permuted": {"color": "#D55E00", "marker": "s", "linestyle": "--"},
    "untrained": {"color": "#0072B2", "marker": "^", "linestyle": ":"},
}
ELSEWHERE = {"color": "0.45", "marker": "D", "linestyle": "-.", "mfc": "white"}


def main(optima, confidence, resamples, seed, pdf, png) -> None:
    optima = read_sweep(optima)
    how = {"confidence": confidence, "resamples": resamples, "seed": seed}
    with figure(pdf, png, TWO_COLUMNS, 2.4, columns=len(PANELS)) as axes:
        for axis, (column, kind, title) in zip(axes, PANELS, strict=True):
            of = optima[optima["kind"] == kind]
            for null, style in LINES.items():
                same = of[of["null"] == null]
                if len(same):
                    _line(axis, same, column, how, label=null, **style)
            other = f"{column}_elsewhere"
            if other in of and column != "activation_share":
                own = of[of["null"] == "model"].dropna(subset=other)
                _line(axis, own, other, how, label="model, at other positions", **ELSEWHERE)
            lengths = sorted(optima["length"].unique())
            axis.set_xticks(lengths)
            axis.set(xlabel="free positions", ylabel=title)
        shared_legend(axes)


def _line(axis, table, column, how, **style) -> None:
    """Means over neurons or words, all places of a length together, with intervals."""
    is_rate, scale = column.startswith("recovered"), 100 if column.startswith("recovered") else 1
    unit = ["site", "layer", "index"] if table["kind"].iloc[0] == "single" else ["word"]
    points = []
    for length, same in table.groupby("length"):
        values = same.groupby(unit)[column].mean()
        found = rate(values, how["confidence"]) if is_rate else centre(values, np.mean, **how)
        points.append((length, *(scale * value for value in found)))
    points = pd.DataFrame(points, columns=["length", "value", "low", "high"])
    bars = [(points["value"] - points["low"]).clip(0), (points["high"] - points["value"]).clip(0)]
    axis.errorbar(
        points["length"], points["value"], yerr=bars, elinewidth=0.6, capsize=1.5, ms=3, **style
    )


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        optima=snakemake.input.optima,
        confidence=snakemake.params.confidence,
        resamples=snakemake.params.resamples,
        seed=snakemake.params.seed,
        **dict(snakemake.output.items()),
    )
