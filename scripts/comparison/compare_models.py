"""Headline numbers of every model, and their excess over each of the model's own null models.

*Matched* numbers are over the words that all models have. Group sizes are also given as a share of
all neurons that could be chosen; `matched.recovery.absolute.5%` is of groups of 5 % of each model's
neurons. *None* means that a model has no exact ceiling.
"""

import numpy as np
import pandas as pd

from study.job import run
from textualization.analysis.estimates import Intervals, centre, rate
from textualization.analysis.thresholds import fit_threshold
from textualization.report.csv_tables import read_csv
from textualization.report.sentences import with_interval
from textualization.report.tables import TableFiles, readable, write_with_shown

#: Claims that are not compared: convergence depends on the ascent, not on the model.
LEFT_OUT = ("single.converged",)
OF_NULLS = ("excess", "excess_low", "excess_high", "verdict")


def main(
    claims, singles, groups, requested, models, neurons, shares, null_models, levels,
    intervals: Intervals, files: TableFiles,
) -> None:  # fmt: skip
    requested = [pd.read_parquet(path).set_index("word") for path in requested]
    matched = pd.concat([table["used"] for table in requested], axis=1).all(axis=1)
    rows = _claimed(read_csv(claims), null_models)
    for place, model in enumerate(models):
        rows += _by_site(read_csv(singles[place]), model)
        of_model = pd.read_parquet(groups[place])
        words = requested[place].loc[matched, "read_as"]
        of_model = of_model[(of_model["scope"] == "model") & of_model["word"].isin(words)]
        if len(words):
            rows += _matched(of_model, model, levels, intervals)
            rows += _at_shares(of_model, model, shares[model], intervals)
    table = pd.DataFrame(rows).drop_duplicates(["quantity", "model"])
    table.insert(1, "neurons", table["model"].map(neurons))
    counted = table["quantity"].str.contains("threshold", regex=False)
    for share, of in (("share", "value"), ("share_low", "low"), ("share_high", "high")):
        table[share] = (table[of] / table["neurons"]).where(counted)
    # By quantity, with the models in the study's order.
    order = table["quantity"].map({q: i for i, q in enumerate(table["quantity"].unique())})
    table = table.assign(order=order, place=table["model"].map(models.index))
    table = table.sort_values(["order", "place"]).drop(columns=["order", "place"])
    write_with_shown(table, _shown(table, null_models), files)


def _claimed(claims, null_models) -> list[dict]:
    """Return every model's claims, with their excess over each of the model's own null models."""
    rows = []
    for (claim, model), found in claims.groupby(["claim", "model"], sort=False):
        own = found[found["null_model"].isna()].iloc[0]
        if claim in LEFT_OUT:
            continue
        row = {"quantity": claim, "model": model, "value": own["value"], "low": own["ci_low"]}
        row |= {"high": own["ci_high"], "n": own["n"]}
        nulls = found.set_index("null_model")
        for null in null_models:
            if null in nulls.index:
                row |= {f"{null}_{name}": nulls.loc[null, name] for name in OF_NULLS}
        rows.append(row)
    return rows


def _by_site(singles, model) -> list[dict]:
    """Return closeness to words and shares of the exact ceiling, if there is one, for every site."""
    whole = singles[singles["layer"] == "all"]
    cosines = [
        {"quantity": f"single.nearest_cosine.{row.site}", "model": model, "n": row.neurons}
        | {"value": row.nearest_cosine, "low": row.ci_low, "high": row.ci_high}
        for row in whole.itertuples()
    ]
    return cosines + [
        {"quantity": f"single.{name}.{row.site}", "model": model, "value": getattr(row, name)}
        | {"n": row.neurons}
        for row in whole.itertuples()
        for name in ("share_of_ceiling", "best_word_of_ceiling", "geometry_of_ceiling")
    ]


def _matched(groups, model, levels, intervals) -> list[dict]:
    """Return recovery and its thresholds over the words that all models have."""
    rows = []
    for selection, chosen in groups.groupby("selection"):
        recovered = chosen.pivot_table(index="word", columns="size", values="recovered")
        for size in recovered:
            value, low, high = rate(recovered[size], intervals.confidence)
            row = {"quantity": f"matched.recovery.{selection}.{size}", "model": model}
            rows.append(row | {"value": value, "low": low, "high": high, "n": len(recovered)})
        sizes = recovered.columns.to_numpy()
        for level in levels:
            found = fit_threshold(sizes, recovered.to_numpy(), level, intervals)
            row = {"quantity": f"matched.threshold.{selection}.{round(100 * level)}"}
            row |= {"model": model, "value": found["value"], "n": len(recovered)}
            rows.append(row | {"low": found["ci_low"], "high": found["ci_high"]})
    return rows


def _at_shares(groups, model, shares, intervals) -> list[dict]:
    """Return recovery and explanation of groups that are the same share of each model's neurons."""
    rows = []
    for share, size in shares.items():
        for selection, chosen in groups[groups["size"] == size].groupby("selection"):
            found = chosen.groupby("word")[["recovered", "explanation"]].mean()
            estimates = {
                "recovery": rate(found["recovered"], intervals.confidence),
                "explanation": centre(found["explanation"].to_numpy(), np.mean, intervals),
            }
            for name, (value, low, high) in estimates.items():
                row = {"quantity": f"matched.{name}.{selection}.{share}", "model": model}
                row |= {"value": value, "low": low, "high": high, "n": len(found)}
                rows.append(row)
    return rows


def _shown(table, null_models) -> pd.DataFrame:
    """Return the table for people: intervals in brackets, `none` where a model has no ceiling."""
    ceilings = table["quantity"].str.contains("of_ceiling", regex=False)
    shown = pd.DataFrame({"quantity": table["quantity"], "model": table["model"]})
    shown["value"] = _texts(table, "value", "low", "high")
    shown.loc[ceilings & table["value"].isna(), "value"] = "none"
    shown["n"] = table["n"].map(readable)
    shown["% of its neurons"] = _texts(
        table.assign(**{name: 100 * table[name] for name in ("share", "share_low", "share_high")}),
        "share",
        "share_low",
        "share_high",
    )
    for null in null_models:
        if f"{null}_excess" in table:
            names = [f"{null}_{name}" for name in OF_NULLS]
            shown[f"excess over its {null.replace('_', ' ')}"] = _texts(table, *names[:3])
            shown[f"compared with its {null.replace('_', ' ')}"] = table[names[3]].fillna("")
    return shown


def _texts(table, value, low, high) -> list[str]:
    rows = table[[value, low, high]].astype(float).itertuples(index=False)
    return ["" if np.isnan(row[0]) else with_interval(*row) for row in rows]


if "snakemake" in globals():
    run(main, snakemake)
