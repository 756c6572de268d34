"""An experiment's numbers: every condition beside the first one, and beside its null models."""

import numpy as np
import pandas as pd

from comparing import NEURON, Comparison, compared
from running import run
from sweeping import UNITS, read_sweep
from textualization.claims import null_verdict
from textualization.estimates import clustered, holm, rate
from textualization.files import write_text
from textualization.findings import READS, with_interval
from textualization.presenting import html_prose, page, readable, write_beside
from textualization.thresholds import threshold, threshold_excess

#: What is told of optima, as far as an experiment has it; those that are rates.
STATISTICS = {
    "nearest_cosine": "cosine to the nearest word",
    "activation_share": "activation, as a share of the highest under any condition",
    "recovered": "recovery: the word is the nearest one",
    "target_cosine": "cosine to the word of the group",
    "nearest_cosine_elsewhere": "cosine to the nearest word at the other free positions",
    "recovered_elsewhere": "the word is the nearest one at another free position",
    "word_cosine": "cosine to the context's word",
    "context_cosine": "cosine to the mean of the context's tokens",
    "other_cosine": "cosine to the mean of the other label's tokens",
}
THRESHOLD = "neurons at which words come back in so many % of cases: "
RATES = ("recovered", "recovered_elsewhere")
COLUMNS = ["condition", "block", "of", "size", "statistic", "n", "value", "ci_low", "ci_high"]
COLUMNS += ["difference", "difference_low", "difference_high", "null_model", "null_n", "draws"]
COLUMNS += ["null_value", "null_low", "null_high", "excess", "excess_low", "excess_high", "p"]
COLUMNS += ["p_adjusted", "dominance", "verdict"]


def main(
    optima,
    experiment,
    levels,
    confidence,
    resamples,
    permutations,
    seed,
    csv,
    md,
    tex,
    html,
    answer,
    answer_html,
) -> None:
    how = {"confidence": confidence, "resamples": resamples, "seed": seed}
    optima = read_sweep(optima)
    rows = []
    for (of, size), same in optima.groupby(["kind", "size"], sort=False):
        for statistic in STATISTICS:
            if same.get(statistic, pd.Series(dtype=float)).notna().any():
                rows += _statistic(same, of, size, statistic, permutations, how)
    groups = optima[optima["kind"] == "group"]
    if groups["size"].nunique() > 2:
        for level in levels:
            rows += _thresholds(groups, level, how)
    numbers = pd.DataFrame(rows, columns=COLUMNS)
    numbers["p_adjusted"] = holm(numbers["p"].to_numpy(dtype=float))
    bounds = numbers[["excess_low", "excess_high", "p_adjusted"]].astype(float)
    numbers["verdict"] = [
        null_verdict(*bounds, 1 - confidence) if isinstance(null, str) else None
        for null, bounds in zip(numbers["null_model"], bounds.itertuples(index=False), strict=True)
    ]
    write_beside(numbers, _shown(numbers), csv, md, tex, html)
    told = _answer(numbers, experiment, confidence)
    write_text(told, answer)
    write_text(page(experiment, html_prose(told)), answer_html)


def _statistic(optima, of, size, statistic, permutations, how) -> list[dict]:
    """Every condition's mean, its paired difference from the first, its excess over null models."""
    cluster, units = ("layer", NEURON) if of == "single" else ("word", ["word"])
    optima = optima.assign(**{statistic: optima[statistic].astype(float)})
    if of not in UNITS:  # of contexts, an item counts once, with the mean of its labels
        optima = optima.assign(word=optima["item"])
    rows, first = [], None
    for condition, same in optima.groupby("condition", sort=False):
        own = same[same["null"] == "model"]
        values = own.groupby(units)[statistic].mean().dropna()
        if not len(values):
            continue
        first = values if first is None else first
        if of != "single" and statistic in RATES:
            value, low, high = rate(values, how["confidence"])
        else:
            labels = values.index.get_level_values(cluster)
            value, low, high = clustered(values, labels, np.mean, **how)
        row = {"condition": condition, "block": own["block"].iloc[0], "of": of, "size": size}
        row |= {"statistic": statistic}
        told = {"n": len(values), "value": value, "ci_low": low, "ci_high": high}
        difference = (values - first).dropna() if first is not values else []
        if len(difference):
            labels = difference.index.get_level_values(cluster)
            found = clustered(difference, labels, np.mean, **how)
            names = ("difference", "difference_low", "difference_high")
            told |= dict(zip(names, found, strict=True))
        rows.append(row | told)
        for null, of_null in same[same["null"] != "model"].groupby("null", sort=False):
            if not of_null[statistic].notna().any():
                continue
            comparison = Comparison(
                condition, null, own, statistic, of_null, statistic, cluster,
                is_rate=statistic in RATES,
            )  # fmt: skip
            found = compared(comparison, permutations, **how)
            rows.append(row | found | {"statistic": statistic})
    return rows


def _thresholds(groups, level, how) -> list[dict]:
    """The group size at which words come back, by condition."""
    rows, statistic = [], f"threshold_{round(100 * level)}"
    for condition, same in groups.groupby("condition", sort=False):
        curves = {
            null: found.pivot_table(index="word", columns="size", values="recovered")
            for null, found in same.groupby("null", sort=False)
        }
        own, sizes = curves.pop("model"), np.sort(same["size"].unique())
        block = same["block"].iloc[0]
        row = {"condition": condition, "block": block, "of": "group", "statistic": statistic}
        found = threshold(sizes, own.to_numpy(), level, *how.values())
        told = {key: found[key] for key in ("value", "ci_low", "ci_high")}
        rows.append(row | {"n": len(own)} | told)
        for null, curve in curves.items():
            words = own.index.intersection(curve.index)
            pair = (own.loc[words].to_numpy(), curve.loc[words].to_numpy())
            found = threshold_excess(sizes, *pair, level, **how)
            found |= {"null_model": null, "n": len(words), "null_n": len(words)}
            rows.append(row | found)
    return rows


def _shown(numbers) -> pd.DataFrame:
    """A line per condition and statistic, its null models side by side."""
    keys = ["condition", "of", "size", "statistic"]
    own = numbers[numbers["null_model"].isna()]
    shown = own[keys].assign(size=own["size"].map(lambda size: f"{size:g}"), n=own["n"].map(str))
    shown["value"] = [_told(row, "value", "ci_low", "ci_high") for row in own.itertuples()]
    names = ("difference", "difference_low", "difference_high")
    shown["less the first condition's"] = [_told(row, *names) for row in own.itertuples()]
    for null, beside in numbers.dropna(subset="null_model").groupby("null_model", sort=False):
        found = beside.set_index(keys)
        text = [
            f"{readable(float(row.null_value))}; "
            + _told(row, "excess", "excess_low", "excess_high")
            + f" ({row.verdict})"
            for row in found.itertuples()
        ]
        text = pd.Series(text, index=found.index)
        at = pd.MultiIndex.from_frame(own[keys])
        shown[f"{null}: value; excess over it"] = text.reindex(at).fillna("").to_numpy()
    return shown


def _told(row, value, low, high) -> str:
    if pd.isna(getattr(row, value)):
        return "not reached" if value == "value" else ""
    return with_interval(*(getattr(row, name) for name in (value, low, high)))


def _answer(numbers, experiment, confidence) -> str:
    """What differs from the first condition, and what from null models, in sentences."""
    own = numbers[numbers["null_model"].isna()]
    text = [f"# {experiment.replace('_', ' ').capitalize()}", ""]
    text.append(
        f"Made from `numbers.csv`; in brackets {100 * confidence:g} % intervals. A condition is said to "
        "differ from the first one if the interval of the mean difference, neuron by neuron or word "
        "by word, leaves out 0; these intervals are not corrected for their number. Behind every value: "
        "the null models', and whether the model lies above or below. "
        f"{_beside_null_models(numbers)}"
    )
    for (of, size, statistic), same in own.groupby(
        ["of", "size", "statistic"], dropna=False, sort=False
    ):
        of_size = "single neurons" if of == "single" else f"{of}s of {size:g} neurons"
        of_size = "groups" if np.isnan(size) else of_size
        name = STATISTICS.get(statistic) or statistic.replace("threshold_", THRESHOLD)
        text += ["", f"## {of_size.capitalize()}: {name}", ""]
        keys = ["of", "size", "statistic"]
        beside = numbers[numbers["null_model"].notna() & _are(numbers, keys, same.iloc[0])]
        for row in same.itertuples():
            value = with_interval(row.value, row.ci_low, row.ci_high)
            nulls = beside[beside["condition"] == row.condition]
            text.append(f"- {row.condition}: **{value}**{_apart(row)}{_nulls(nulls)}")
    return "\n".join(text) + "\n"


def _are(table, keys, row):
    """Which rows have the same keys; a missing one is like a missing one."""
    same = [(table[key] == row[key]) | (table[key].isna() & pd.isna(row[key])) for key in keys]
    return np.logical_and.reduce(same)


def _apart(row) -> str:
    """How far a condition lies from the first one."""
    if pd.isna(row.difference_low):
        return ""
    told = with_interval(row.difference, row.difference_low, row.difference_high)
    if row.difference_low <= 0 <= row.difference_high:
        return f", not told apart from the first (difference {told})"
    return f", {'higher' if row.difference > 0 else 'lower'} than the first (difference {told})"


def _nulls(beside) -> str:
    """The same number of null models, and whether the model's is told apart from it."""
    told = [
        f"{row.null_model} {readable(float(row.null_value)) or 'not reached'} ({READS[row.verdict]})"
        for row in beside.itertuples()
    ]
    return f"; {', '.join(told)}" if told else ""


def _beside_null_models(numbers) -> str:
    beside = numbers[numbers["null_model"].notna()]
    if not len(beside):
        return "No null model was run."
    told = []
    for null, rows in beside.groupby("null_model", sort=False):
        above, below = ((rows["verdict"] == v).sum() for v in ("above null", "below null"))
        told.append(f"of {len(rows)} numbers {above} lie above {null}'s and {below} below")
    told = "; ".join(told)
    return f"Beside null models ({told}), corrected for all tests of the table, see `numbers.md`."


if "snakemake" in globals():
    run(
        main,
        snakemake,
        optima=snakemake.input.optima,
        **dict(snakemake.params.items()),
        **dict(snakemake.output.items()),
    )
