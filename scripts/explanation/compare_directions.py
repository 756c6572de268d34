"""Score optima and other directions by how well they explain their neurons, over held-out words."""

from functools import partial

import numpy as np
import pandas as pd

from study.job import run
from study.models import open_model
from study.rankings import read_rankings
from study.results import read_matrices
from study.stored_activations import mean_activations
from study.word_groups import word_groups
from textualization.analysis.similarity import unit
from textualization.directions import compare_directions
from textualization.files import write_table
from textualization.optima_arrays import OptimaArrays

KEYS = {
    "singles": ["site", "layer", "index"],
    "groups": ["target", "selection", "scope", "scope_layer", "size"],
}


def main(
    optima, words, weights, activations, sites, kind, reading, device, seed, table, rankings=(),
    targets=None, context=(),
) -> None:  # fmt: skip
    """Write the table. rankings, targets: files of the groups' rankings and words; none for neurons."""
    parts = [part for part in map(OptimaArrays.load, optima) if len(part)]
    facts = pd.concat([part.objectives for part in parts], ignore_index=True)
    found, start = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("embedding", "start")
    )
    keys = KEYS[kind]
    first = facts[facts["restart"] == 0].reset_index(names="row")
    if kind == "groups":
        first = first[first["scope"] == "model"].reset_index(drop=True)
        first = first.merge(_groups(first, rankings, pd.read_parquet(targets), seed), on=keys)
    else:
        first["neurons"] = [[neuron] for neuron in first[keys].itertuples(index=False, name=None)]
    words = pd.read_parquet(words)
    model = open_model(weights, reading, words, context, device=device)
    scores = compare_directions(
        model,
        first["neurons"].tolist(),
        found[first["row"]],
        start[first["row"]],
        seed,
        {"mean_optimum": _means(facts, unit(found), first, keys)},
        partial(mean_activations, read_matrices(sites, activations)),
    )
    if kind == "groups":
        scores.insert(0, "word", words["word"].to_numpy()[first["target"]])
    write_table(first[keys].join(scores), table)


def _groups(objectives, rankings, targets, seed) -> pd.DataFrame:
    """List the neurons of the groups of the scope `model`, by KEYS."""
    sizes = sorted(objectives["size"].unique())
    tables = [
        word_groups(
            ranking,
            targets,
            sizes,
            selection=selection,
            scope=scope,
            restarts=1,
            repeated=0,
            seed=seed,
        )
        for selection, scope, ranking in read_rankings(rankings)
        if scope == "model"
    ]
    return pd.concat(tables)[[*KEYS["groups"], "neurons"]]


def _means(facts, directions, first, keys) -> np.ndarray:
    """Average the optima of all starts, (n, H); NaN for an objective with a single start."""
    means = np.full((len(first), directions.shape[1]), np.nan)
    places = {
        key: place for place, key in enumerate(first[keys].itertuples(index=False, name=None))
    }
    for key, of_objective in facts.groupby(keys, sort=False):
        if len(of_objective) > 1 and key in places:
            means[places[key]] = directions[of_objective.index].mean(axis=0)
    return means


if "snakemake" in globals():
    run(main, snakemake)
