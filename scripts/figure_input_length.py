"""Optima of several free positions: where they are read, and beside it."""

import numpy as np
import pandas as pd

from running import run
from sweeping import read_sweep
from textualization.describing import course, told
from textualization.estimates import centre, rate
from textualization.plotting import ELSEWHERE, MODEL, NULLS, TWO_COLUMNS, figure, shared_legend

#: What is drawn: the column, the kind of objective, the axis.
PANELS = (
    ("nearest_cosine", "single", "single neurons: cosine\nto the nearest word"),
    ("nearest_cosine", "group", "groups: cosine\nto the nearest word"),
    ("activation_share", "group", "groups: activation (share\nof the highest)"),
    ("recovered", "group", "groups: recovery\n(% of words)"),
)
LINES = {
    "model": MODEL,
    "permuted": NULLS["permuted"],
    "untrained": NULLS["untrained"],
    "model, at other positions": ELSEWHERE,
}


def main(optima, confidence, resamples, seed, pdf, png, txt) -> None:
    optima = read_sweep(optima)
    how = {"confidence": confidence, "resamples": resamples, "seed": seed}
    panels = [(title, _panel(optima, column, kind, how)) for column, kind, title in PANELS]
    alt = " ".join(
        told(
            f"Against free positions, {title.replace(chr(10), ' ')}",
            [course(name, points["length"], points["value"]) for name, points in lines.items()],
        )
        for title, lines in panels
    )
    with figure(pdf, png, txt, TWO_COLUMNS, 2.4, columns=len(PANELS), alt=alt) as axes:
        for axis, (title, lines) in zip(axes, panels, strict=True):
            for name, points in lines.items():
                bars = [
                    (points["value"] - points["low"]).clip(0),
                    (points["high"] - points["value"]).clip(0),
                ]
                axis.errorbar(
                    points["length"], points["value"], yerr=bars, elinewidth=0.6, capsize=1.5, ms=3,
                    label=name, **LINES[name],
                )  # fmt: skip
            axis.set_xticks(sorted(optima["length"].unique()))
            axis.set(xlabel="free positions", ylabel=title)
        shared_legend(axes)


def _panel(optima, column, kind, how) -> dict[str, pd.DataFrame]:
    """The lines of a panel, by name: the model and its null models; the model at other positions."""
    of = optima[optima["kind"] == kind]
    lines = {
        null: _points(of[of["null"] == null], column, how)
        for null in LINES
        if null in set(of["null"])
    }
    other = f"{column}_elsewhere"
    if other in of and column != "activation_share":
        own = of[of["null"] == "model"].dropna(subset=other)
        if len(own):
            lines["model, at other positions"] = _points(own, other, how)
    return lines


def _points(table, column, how) -> pd.DataFrame:
    """Means over neurons or words, all places of a length together, with intervals."""
    is_rate, scale = column.startswith("recovered"), 100 if column.startswith("recovered") else 1
    unit = ["site", "layer", "index"] if table["kind"].iloc[0] == "single" else ["word"]
    points = []
    for length, same in table.groupby("length"):
        values = same.groupby(unit)[column].mean()
        found = rate(values, how["confidence"]) if is_rate else centre(values, np.mean, **how)
        points.append((length, *(scale * value for value in found)))
    return pd.DataFrame(points, columns=["length", "value", "low", "high"])


if "snakemake" in globals():
    run(
        main,
        snakemake,
        optima=snakemake.input.optima,
        confidence=snakemake.params.confidence,
        resamples=snakemake.params.resamples,
        seed=snakemake.params.seed,
        **dict(snakemake.output.items()),
    )
