"""Recovery and nearest words by stratum.

Recovery is given by category and frequency band of the target words. For single neurons, the table
gives the kind of the vocabulary entry nearest to the optimum when every entry is allowed, and
compares outlier neurons with all others.
"""

import numpy as np
import pandas as pd

from study.job import run
from study.results import read_embeddings
from study.targets import described_targets
from textualization.analysis.estimates import Intervals, clustered, rate
from textualization.analysis.similarity import nearest_words
from textualization.report.tables import TableFiles, write_for_people

COLUMNS = [
    "of",
    "statistic",
    "selection",
    "size",
    "by",
    "stratum",
    "n",
    "value",
    "ci_low",
    "ci_high",
]
#: An outlier's mean activation is more than this many deviations from its layer's average.
DEVIATIONS = 3


def main(
    singles, embeddings, groups, summaries, words, weights, targets, listed, intervals: Intervals,
    files: TableFiles,
) -> None:  # fmt: skip
    groups, about = pd.read_parquet(groups), described_targets(pd.read_parquet(targets), listed)
    groups, rows = groups[groups["scope"] == "model"].merge(about, on="word"), []
    for by in ("category", "frequency_band"):
        keys = ["selection", "size", by]
        of_words = groups.groupby([*keys, "word"], as_index=False)["recovered"].mean()
        for (selection, size, stratum), chosen in of_words.groupby(keys):
            estimate = rate(chosen["recovered"], intervals.confidence)
            rows.append(
                ("groups", "recovery", selection, size, by, stratum, len(chosen), *estimate)
            )
    singles = pd.read_parquet(singles)
    rows += _kinds(
        singles, np.load(embeddings), pd.read_parquet(words), weights, intervals.confidence
    )
    rows += _outliers(singles, [pd.read_parquet(path) for path in summaries], intervals)
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"size": "Int64"})
    write_for_people(table, files)


def _kinds(singles, embeddings, words, weights, confidence) -> list[tuple]:
    """Count kinds of entries among those nearest to optima (every entry allowed), and among all."""
    everything = np.ones(len(words), dtype=bool)
    nearest = nearest_words(embeddings, read_embeddings(weights), everything)[0]
    found = pd.get_dummies(words["kind"].iloc[nearest].reset_index(drop=True), dtype=float)
    found = found.groupby([singles["site"], singles["layer"], singles["index"]]).mean()
    rows = []
    for kind, entries in words["kind"].value_counts().items():
        share = found[kind] if kind in found else pd.Series(0.0, index=found.index)
        estimate = rate(share, confidence)
        rows.append(("singles", "nearest entry", None, None, "kind", kind, len(share), *estimate))
        share = entries / len(words)
        rows.append(
            ("vocabulary", "share of entries", None, None, "kind", kind, entries, share, None, None)
        )
    return rows


def _outliers(singles, summaries, intervals) -> list[tuple]:
    """Compare neurons whose mean activation over words is extreme in their layer with all others."""
    neurons = pd.concat(summaries, ignore_index=True)
    mean = neurons.groupby(["site", "layer"])["mean"]
    far = (neurons["mean"] - mean.transform("mean")).abs() / mean.transform("std")
    neurons["stratum"] = np.where(far > DEVIATIONS, "outlier", "other")
    keys = ["site", "layer", "index"]
    found = singles.groupby(keys, as_index=False).mean(numeric_only=True)
    found = found.merge(neurons[[*keys, "stratum"]], on=keys)
    rows = []
    statistics = {"nearest_cosine": np.mean, "utilisation_best_word": np.median}
    for stratum, chosen in found.groupby("stratum"):
        for column, statistic in statistics.items():
            estimate = clustered(chosen[column], chosen["layer"], statistic, intervals)
            name = f"{column} ({statistic.__name__})"
            rows.append(("singles", name, None, None, "outlier", stratum, len(chosen), *estimate))
    return rows


if "snakemake" in globals():
    run(main, snakemake)
