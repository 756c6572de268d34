"""Gradient ascent on random groups of the model itself, matched to a word's groups.

`random_group` has as many neurons of every layer; `matched_activation`, as many of every layer and tenth
of mean activation over words: as lively neurons, but not chosen by this word.
"""

from pathlib import Path

import pandas as pd

from climbing import job_of
from nulling import climb_groups, words_of
from running import run
from textualization.files import write_table
from textualization.nulls import matched_group, quantile_strata
from textualization.starts import generator

#: Parts into which a layer's neurons are cut by their mean activation.
PARTS = 10
PLACE = ["site", "layer", "index"]


def main(
    weights, candidates, targets, summaries, rankings, null, draws, selections, sizes, per_draw,
    protocol, job, table,
) -> None:  # fmt: skip
    words, targets = pd.read_parquet(candidates), pd.read_parquet(targets)
    neurons = pd.concat([pd.read_parquet(path) for path in summaries], ignore_index=True)
    strata = _strata(neurons, null)
    places = pd.MultiIndex.from_frame(neurons[PLACE])
    ranked = {
        Path(path).stem.split("-")[0]: dict(
            list(pd.read_parquet(path).groupby("word", observed=True))
        )
        for path in rankings
    }
    tables, snapshots = [], []
    for draw in draws:
        groups, rows = [], []
        for target in words_of(targets, draw, per_draw, protocol["seed"]).itertuples():
            for selection in selections:
                ranking = ranked[selection][target.word]
                order = places.get_indexer(pd.MultiIndex.from_frame(ranking[PLACE]))
                for size in sizes:
                    dice = generator(protocol["seed"], null, draw, target.word, selection, size)
                    drawn = matched_group(order[:size], strata, dice)
                    groups.append([places[place] for place in drawn])
                    rows.append((target.word, target.id, selection, size))
        facts = pd.DataFrame(rows, columns=["word", "target", "selection", "size"])
        told, kept = climb_groups(groups, facts, null, draw, weights, words, protocol, job, table)
        tables.append(told)
        snapshots += kept
    write_table(pd.concat(tables, ignore_index=True), table)
    for kept in snapshots:
        kept.remove()


def _strata(neurons: pd.DataFrame, null: str):
    """A label per neuron: its site and layer, and where asked its tenth of mean activation."""
    by = [neurons["site"], neurons["layer"]]
    if null == "matched_activation":
        by.append(neurons.groupby(["site", "layer"])["mean"].transform(quantile_strata, PARTS))
    return neurons.groupby(by).ngroup().to_numpy()


if "snakemake" in globals():
    run(
        main,
        snakemake,
        weights=snakemake.input.weights,
        candidates=snakemake.input.candidates,
        targets=snakemake.input.targets,
        summaries=snakemake.input.summaries,
        rankings=snakemake.input.rankings,
        null=snakemake.wildcards.null,
        **dict(snakemake.params.items()),
        job=job_of(snakemake),
        table=snakemake.output[0],
    )
