"""Every condition of the experiment, compared with the first condition and with null models.

Values are means, of utilisation medians, with intervals. Differences from the first condition are paired
by neuron or word, those of single rows of different bases by layer.
"""

import numpy as np
import pandas as pd

from study.config.variables import ALONE
from study.job import run
from study.results import OBJECTIVE, UNITS, read_experiment, read_tables
from textualization.analysis.estimates import Intervals, clustered, holm, rate
from textualization.analysis.null_comparison import NEURON, Comparison, compared
from textualization.analysis.thresholds import fit_threshold, threshold_excess
from textualization.files import write_text
from textualization.report.sentences import READS, with_interval
from textualization.report.tables import TableFiles, html_prose, page, readable, write_with_shown
from textualization.report.verdicts import null_verdict

#: Statistics of optima, where an experiment has them; those that are rates.
STATISTICS = {
    "nearest_cosine": "cosine to the nearest word",
    "activation_share": "activation, as a share of the highest under any condition",
    "explanation": "explanation (correlation over words of closeness and activation)",
    "recovered": "recovery (the word is the nearest one)",
    "target_cosine": "cosine to the word of the group",
    "nearest_cosine_elsewhere": "cosine to the nearest word at the other free positions",
    "recovered_elsewhere": "recovery at another free position",
    "word_cosine": "cosine to the context's word",
    "context_cosine": "cosine to the mean of the context's tokens",
    "other_cosine": "cosine to the mean of the other label's tokens",
}
STATISTICS |= {
    "restart_cosine": "cosine between optima from different starts",
    "utilisation_best_word": "share of the optimum's activation that the best word reaches (median)",
    "share_of_ceiling": "activation, as a share of the ceiling",
    "explanation_top": "explanation by the mean of the top items, on other words",
    "explanation_sentences": "explanation of tokens within held-out sentences",
    "explanation_top_sentences": "explanation within held-out sentences by the mean of the top items",
}
#: Statistics of experiments that name them (`statistics`).
FURTHER = ("utilisation_best_word", "share_of_ceiling", "explanation_top")
FURTHER += ("explanation_sentences", "explanation_top_sentences")
RATES, MEDIANS = ("recovered", "recovered_elsewhere"), ("utilisation_best_word",)
#: Kinds of objectives in sentences.
NAMES = {"single": "single neurons", "leading": "leading components"}
COLUMNS = ["condition", "block", "of", "size", "statistic", "n", "value", "ci_low", "ci_high"]
COLUMNS += ["difference", "difference_low", "difference_high", "null_model", "null_n", "draws"]
COLUMNS += ["null_value", "null_low", "null_high", "excess", "excess_low", "excess_high", "p"]
COLUMNS += ["p_adjusted", "dominance", "verdict"]


def main(
    optima, experiment, further, levels, permutations, intervals: Intervals, files: TableFiles, answer,
    answer_html, explained: list = (),
) -> None:  # fmt: skip
    optima = read_experiment(optima)
    if explained:
        keys = [*OBJECTIVE, "condition"]
        optima = optima.merge(read_tables(explained), on=keys, how="left", validate="one_to_one")
    rows = []
    for (of, size), same in optima.groupby(["kind", "size"], sort=False):
        for statistic in STATISTICS:
            if statistic in FURTHER and statistic not in further:
                continue
            if same.get(statistic, pd.Series(dtype=float)).notna().any():
                rows += _statistic(same, of, size, statistic, permutations, intervals)
    groups = optima[optima["kind"] == "group"]
    if groups["size"].nunique() > 2:
        for level in levels:
            rows += _thresholds(groups, level, intervals)
    numbers = pd.DataFrame(rows, columns=COLUMNS)
    numbers["p_adjusted"] = holm(numbers["p"].to_numpy(dtype=float))
    bounds = numbers[["excess_low", "excess_high", "p_adjusted"]].astype(float)
    numbers["verdict"] = [
        null_verdict(*bounds, 1 - intervals.confidence) if isinstance(null, str) else None
        for null, bounds in zip(numbers["null_model"], bounds.itertuples(index=False), strict=True)
    ]
    write_with_shown(numbers, _shown(numbers), files)
    pairs = "layer" if optima["basis"].nunique() > 1 else "neuron"
    text = _answer(numbers, experiment, pairs, intervals.confidence)
    write_text(text, answer)
    write_text(page(experiment, html_prose(text)), answer_html)


def _statistic(optima, of, size, statistic, permutations, intervals) -> list[dict]:
    """Return every condition's mean, paired difference from the first, and excess over nulls."""
    cluster, units = ("layer", NEURON) if of in ALONE else ("word", ["word"])
    # Bases have no rows in common.
    pairs = ["layer"] if of in ALONE and optima["basis"].nunique() > 1 else units
    centre = np.median if statistic in MEDIANS else np.mean
    optima = optima.assign(**{statistic: optima[statistic].astype(float)})
    if of not in UNITS:  # an item of contexts counts once, with the mean of its labels
        optima = optima.assign(word=optima["item"])
    rows, first = [], None
    for condition, same in optima.groupby("condition", sort=False):
        own = same[same["null"] == "model"]
        values = own.groupby(units)[statistic].mean().dropna()
        if not len(values):
            continue
        paired = values if pairs == units else values.groupby(level=pairs).apply(centre)
        first = paired if first is None else first
        if of not in ALONE and statistic in RATES:
            value, low, high = rate(values, intervals.confidence)
        else:
            labels = values.index.get_level_values(cluster)
            value, low, high = clustered(values, labels, centre, intervals)
        row = {"condition": condition, "block": own["block"].iloc[0], "of": of, "size": size}
        row |= {"statistic": statistic}
        estimate = {"n": len(values), "value": value, "ci_low": low, "ci_high": high}
        difference = (paired - first).dropna() if first is not paired else []
        if len(difference):
            labels = difference.index.get_level_values(cluster)
            found = clustered(difference, labels, centre, intervals)
            names = ("difference", "difference_low", "difference_high")
            estimate |= dict(zip(names, found, strict=True))
        rows.append(row | estimate)
        for null, of_null in same[same["null"] != "model"].groupby("null", sort=False):
            if not of_null[statistic].notna().any():
                continue
            comparison = Comparison(
                condition, null, own, statistic, of_null, statistic, cluster, centre,
                is_rate=statistic in RATES,
            )  # fmt: skip
            found = compared(comparison, permutations, intervals)
            rows.append(row | found | {"statistic": statistic})
    return rows


def _thresholds(groups, level, intervals) -> list[dict]:
    """Return the group size at which words are recovered, by condition."""
    rows, statistic = [], f"threshold_{round(100 * level)}"
    for condition, same in groups.groupby("condition", sort=False):
        curves = {
            null: found.pivot_table(index="word", columns="size", values="recovered")
            for null, found in same.groupby("null", sort=False)
        }
        own, sizes = curves.pop("model"), np.sort(same["size"].unique())
        block = same["block"].iloc[0]
        row = {"condition": condition, "block": block, "of": "group", "statistic": statistic}
        found = fit_threshold(sizes, own.to_numpy(), level, intervals)
        estimate = {key: found[key] for key in ("value", "ci_low", "ci_high")}
        rows.append(row | {"n": len(own)} | estimate)
        for null, curve in curves.items():
            words = own.index.intersection(curve.index)
            pair = (own.loc[words].to_numpy(), curve.loc[words].to_numpy())
            found = threshold_excess(sizes, *pair, level, intervals)
            found |= {"null_model": null, "n": len(words), "null_n": len(words)}
            rows.append(row | found)
    return rows


def _shown(numbers) -> pd.DataFrame:
    """Return a row per condition and statistic, with a column per null model."""
    keys = ["condition", "of", "size", "statistic"]
    own = numbers[numbers["null_model"].isna()]
    shown = own[keys].assign(size=own["size"].map(lambda size: f"{size:g}"), n=own["n"].map(str))
    shown["value"] = [_interval(row, "value", "ci_low", "ci_high") for row in own.itertuples()]
    names = ("difference", "difference_low", "difference_high")
    differences = [_interval(row, *names) for row in own.itertuples()]
    shown["difference from the first condition"] = differences
    for null, rows in numbers.dropna(subset="null_model").groupby("null_model", sort=False):
        found = rows.set_index(keys)
        text = [
            f"{readable(float(row.null_value))}; "
            + _interval(row, "excess", "excess_low", "excess_high")
            + f" ({row.verdict})"
            for row in found.itertuples()
        ]
        text = pd.Series(text, index=found.index)
        at = pd.MultiIndex.from_frame(own[keys])
        shown[f"{null}: value; excess over it"] = text.reindex(at).fillna("").to_numpy()
    return shown


def _interval(row, value, low, high) -> str:
    if pd.isna(getattr(row, value)):
        return "not reached" if value == "value" else ""
    return with_interval(*(getattr(row, name) for name in (value, low, high)))


def _answer(numbers, experiment, pairs, confidence) -> str:
    """Say in sentences what differs from the first condition, and what from null models."""
    own = numbers[numbers["null_model"].isna()]
    text = [f"# {experiment.replace('_', ' ').capitalize()}", ""]
    text.append(
        f"Generated from `numbers.csv`; brackets show {100 * confidence:g} % intervals. A condition "
        f"differs from the first one if the interval of the mean difference, paired by {pairs} or word, "
        "excludes 0; these intervals are not corrected for their number. Every value is followed by the "
        "null models' values, and by whether the model lies above or below them. "
        f"{_against_null_models(numbers)}"
    )
    for (of, size, statistic), same in own.groupby(
        ["of", "size", "statistic"], dropna=False, sort=False
    ):
        of_size = NAMES.get(of, f"{of}s of {size:g} neurons")
        of_size = "groups" if np.isnan(size) else of_size
        percent = statistic.removeprefix("threshold_")
        name = STATISTICS.get(statistic) or f"neurons at which {percent} % of words are recovered"
        text += ["", f"## {of_size.capitalize()}: {name}", ""]
        keys = ["of", "size", "statistic"]
        of_nulls = numbers[numbers["null_model"].notna() & _are(numbers, keys, same.iloc[0])]
        for row in same.itertuples():
            value = with_interval(row.value, row.ci_low, row.ci_high)
            nulls = of_nulls[of_nulls["condition"] == row.condition]
            text.append(f"- {row.condition}: **{value}**{_apart(row)}{_nulls(nulls)}")
    return "\n".join(text) + "\n"


def _are(table, keys, row):
    """Tell which rows have the same keys; missing values are equal."""
    same = [(table[key] == row[key]) | (table[key].isna() & pd.isna(row[key])) for key in keys]
    return np.logical_and.reduce(same)


def _apart(row) -> str:
    """Say how far a condition lies from the first one."""
    if pd.isna(row.difference_low):
        return ""
    text = with_interval(row.difference, row.difference_low, row.difference_high)
    if row.difference_low <= 0 <= row.difference_high:
        return f", not told apart from the first (difference {text})"
    return f", {'higher' if row.difference > 0 else 'lower'} than the first (difference {text})"


def _nulls(rows) -> str:
    """Give the null models' values, and whether the model differs from them."""
    values = [
        f"{row.null_model} {readable(float(row.null_value)) or 'not reached'} ({READS[row.verdict]})"
        for row in rows.itertuples()
    ]
    return f"; {', '.join(values)}" if values else ""


def _against_null_models(numbers) -> str:
    of_nulls = numbers[numbers["null_model"].notna()]
    if not len(of_nulls):
        return "No null model was run."
    counts = []
    for null, rows in of_nulls.groupby("null_model", sort=False):
        above, below = ((rows["verdict"] == v).sum() for v in ("above null", "below null"))
        counts.append(f"of {len(rows)} numbers {above} lie above {null}'s and {below} below")
    counts = "; ".join(counts)
    return f"After correction for all tests of the table (see `numbers.md`), {counts}."


if "snakemake" in globals():
    run(main, snakemake)
