"""Optima in summary: single neurons by layer, recovery by group size, thresholds by rate."""

import numpy as np
import pandas as pd

from textualization.analysis.estimates import Intervals, centre, clustered, rate
from textualization.analysis.explanation import COLUMNS as EXPLANATION
from textualization.analysis.explanation import MEASURES
from textualization.analysis.thresholds import fit_threshold, word_thresholds

KINDS = ("best_word", "mean_word", "nearest_word")


def by_neuron(singles: pd.DataFrame) -> pd.DataFrame:
    """Average the described optima of every neuron over its restarts, which are not independent.

    Returns:
        A row per neuron: the means of all numbers, of `nearest_is_best`, and of `flagged` (no
        utilisation).
    """
    singles = singles.assign(
        nearest_is_best=singles["nearest_word"] == singles["best_word"],
        flagged=singles["utilisation_best_word"].isna(),
    )
    keys = ["site", "layer", "index"]
    return singles.groupby(keys, as_index=False).mean(numeric_only=True)


def singles_by_layer(
    singles: pd.DataFrame, intervals: Intervals, expected_magnitude=np.nan
) -> pd.DataFrame:
    """Summarise single neurons by site and layer, and over all layers.

    Args:
        singles: described optima, see `textualization.analysis.describe`.
        intervals: settings of the intervals.
        expected_magnitude: what LayerNorm alone lets expect of each neuron, (n,); NaN if not needed.
    """
    neurons = by_neuron(
        singles.assign(
            share_of_ceiling=singles["activation"] / singles["ceiling"],
            geometry_of_ceiling=expected_magnitude / singles["ceiling"],
        )
    )
    rows = []
    for site, of_site in neurons.groupby("site"):
        layers = [(str(layer), group) for layer, group in of_site.groupby("layer")]
        for layer, group in [*layers, ("all", of_site)]:
            row = {"site": site, "layer": layer, "neurons": len(group)}
            # The bootstrap resamples neurons within a layer, and layers over all layers.
            clusters = group["layer"] if layer == "all" else group["index"]
            mean = clustered(group["nearest_cosine"], clusters, np.mean, intervals)
            row |= dict(zip(("nearest_cosine", "ci_low", "ci_high"), mean, strict=True))
            row["start_nearest_cosine"] = group["start_nearest_cosine"].mean()
            for column in EXPLANATION:
                row[column] = group[column].mean()
                if column in MEASURES:
                    mean = clustered(group[column], clusters, np.mean, intervals)
                    row |= dict(zip(_with_bounds(column), mean, strict=True))
            row["nearest_is_best"] = group["nearest_is_best"].mean()
            for kind in KINDS:
                share = group[f"utilisation_{kind}"]
                median = clustered(share, clusters, np.median, intervals)
                names = (f"{kind}_median", f"{kind}_low", f"{kind}_high")
                row |= dict(zip(names, median, strict=True))
                row[f"{kind}_q25"], row[f"{kind}_q75"] = share.quantile([0.25, 0.75])
                row[f"{kind}_of_ceiling"] = (
                    group[f"{kind}_activation"] / group["ceiling"]
                ).median()
            row["flagged"] = int((group["flagged"] > 0).sum())
            row["geometry_of_ceiling"] = group["geometry_of_ceiling"].median()
            row["share_of_ceiling"] = group["share_of_ceiling"].median()
            row["converged"] = group["converged"].mean()
            row["collapsed"] = group["collapsed"].mean()
            row["broken"] = 1 - group["finite"].mean()
            rows.append(row)
    return pd.DataFrame(rows)


def _with_bounds(column: str) -> tuple[str, str, str]:
    return column, f"{column}_low", f"{column}_high"


def recovery_by_size(groups: pd.DataFrame, intervals: Intervals) -> pd.DataFrame:
    """Summarise groups by selection, scope and size; a word counts once, with its mean.

    Args:
        groups: described optima, see `textualization.analysis.describe`.
        intervals: settings of the intervals.
    """
    groups = groups.assign(best_word_is_target=groups["best_word"] == groups["word"])
    # Restarts and layers of a word are not independent.
    words = groups.groupby(["selection", "scope", "size", "word"], as_index=False, sort=False)
    words = words.mean(numeric_only=True)
    rows = []
    for (selection, scope, size), group in words.groupby(["selection", "scope", "size"]):
        row = {"selection": selection, "scope": scope, "size": size, "words": len(group)}
        estimate = rate(group["recovered"], intervals.confidence)
        row |= dict(zip(("recovery", "ci_low", "ci_high"), estimate, strict=True))
        for column in ("target_cosine", "nearest_cosine", "margin", *EXPLANATION):
            row[column] = group[column].mean()
            if column in MEASURES or column not in EXPLANATION:
                mean = centre(group[column], np.mean, intervals)
                row |= dict(zip(_with_bounds(column), mean, strict=True))
        row["median_rank"] = group["target_rank"].median()
        row["best_word_is_target"] = group["best_word_is_target"].mean()
        row["word_activation_share"] = (group["word_activation"] / group["activation"]).median()
        row["converged"] = group["converged"].mean()
        row["collapsed"] = group["collapsed"].mean()
        row["broken"] = 1 - group["finite"].mean()
        rows.append(row)
    return pd.DataFrame(rows)


def thresholds_by_rate(groups: pd.DataFrame, levels, intervals: Intervals):
    """Estimate the group sizes at which recovery reaches rates, by selection and scope.

    Args:
        groups: described optima, see `textualization.analysis.describe`.
        levels: the rates, between 0 and 1.
        intervals: settings of the intervals.

    Returns:
        The thresholds over all words (`fit_threshold`, with its `value` as `neurons`), and those of
        every word (`word_thresholds`).
    """
    rows, of_words = [], []
    for (selection, scope), group in groups.groupby(["selection", "scope"]):
        recovered = group.pivot_table(index="word", columns="size", values="recovered")
        sizes, rates = recovered.columns.to_numpy(), recovered.to_numpy()
        for level in levels:
            names = {"selection": selection, "scope": scope, "percent": round(100 * level)}
            found = fit_threshold(sizes, rates, level, intervals)
            rows.append(names | {"words": len(recovered)} | found)
            neurons = word_thresholds(sizes, rates, level)
            of_words.append(pd.DataFrame({"word": recovered.index, **names, "neurons": neurons}))
    return pd.DataFrame(rows).rename(columns={"value": "neurons"}), pd.concat(of_words)
