"""Nearest cosine and recovery under other metrics and candidate vocabularies.

The metrics are the cosine itself, and the cosine after centring, without the words' leading
directions, and without outlier dimensions. For comparison, the table has the nearest cosine of
random directions and of directions with the words' covariance.
"""

import numpy as np
import pandas as pd

from study.job import run
from study.results import read_embeddings
from textualization.analysis.estimates import Intervals, clustered, rate
from textualization.analysis.similarity import (
    METRICS,
    like_words,
    nearest_words,
    target_similarity,
    view,
)
from textualization.draws import generator
from textualization.models.vocabulary import CANDIDATES
from textualization.report.tables import TableFiles, write_for_people

#: Random directions of each kind.
DIRECTIONS = 500


def main(
    singles, single_embeddings, groups, group_embeddings, words, weights, candidates, leading,
    intervals: Intervals, files: TableFiles,
) -> None:  # fmt: skip
    words, e = pd.read_parquet(words), read_embeddings(weights)
    ids = pd.Series(words.index, index=words["word"])
    neurons, groups = pd.read_parquet(singles), pd.read_parquet(groups)
    single_embeddings, group_embeddings = np.load(single_embeddings), np.load(group_embeddings)
    of_model = (groups["scope"] == "model").to_numpy()
    groups, group_embeddings = groups[of_model].reset_index(drop=True), group_embeddings[of_model]
    targets = ids[groups["word"]].to_numpy()
    rows = []
    variants = [(metric, candidates) for metric in METRICS]
    variants += [("cosine", name) for name in CANDIDATES if name != candidates]
    for metric, name in variants:
        counted = words["kind"].isin(CANDIDATES[name]).to_numpy()
        if not counted[targets].all():
            continue  # a target that is no candidate cannot be recovered
        see = view(metric, e[counted], leading)
        seen = see(e)
        cosine = nearest_words(see(single_embeddings), seen, counted)[1]
        means = neurons.assign(cosine=cosine).groupby(["site", "layer", "index"])["cosine"].mean()
        layers = means.index.get_level_values("layer").to_numpy()
        estimate = clustered(means.to_numpy(), layers, np.mean, intervals)
        row = {"of": "singles", "metric": metric, "candidates": name, "n": len(means)}
        row |= dict(zip(("nearest_cosine", "ci_low", "ci_high"), estimate, strict=True))
        rows.append(row | _chance(e[counted], see, seen, counted, intervals.seed))
        similar = target_similarity(see(group_embeddings), targets, seen, counted)
        similar["recovered"] = similar["nearest_word"].to_numpy() == targets
        keys = groups[["selection", "size", "word"]]
        by_word = similar.drop(columns="nearest_words").join(keys)
        by_word = by_word.groupby(["selection", "size", "word"], as_index=False).mean()
        for (selection, size), chosen in by_word.groupby(["selection", "size"]):
            row = {"of": "groups", "selection": selection, "size": size, "metric": metric}
            row |= {"candidates": name, "n": len(chosen)}
            row["nearest_cosine"] = chosen["nearest_cosine"].mean()
            estimate = rate(chosen["recovered"], intervals.confidence)
            row |= dict(zip(("recovery", "recovery_low", "recovery_high"), estimate, strict=True))
            row["median_rank"] = chosen["target_rank"].median()
            row["margin"] = chosen["margin"].mean()
            rows.append(row)
    first = ["of", "selection", "size", "metric", "candidates", "n"]
    table = pd.DataFrame(rows).astype({"size": "Int64"})
    write_for_people(table[first + [c for c in table if c not in first]], files)


def _chance(words, see, seen, counted, seed) -> dict[str, float]:
    """Return the mean nearest cosine of random directions, and of those with the words' covariance."""
    dice = generator(seed, "chance")
    vectors = dice.standard_normal((DIRECTIONS, words.shape[1]))
    drawn = {"random_direction": vectors, "embedding_covariance": like_words(vectors, words)}
    return {
        name: float(nearest_words(see(directions), seen, counted)[1].mean())
        for name, directions in drawn.items()
    }


if "snakemake" in globals():
    run(main, snakemake)
