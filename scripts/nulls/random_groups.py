"""Ascend on random groups of the model's neurons, matched to a word's groups.

`random_group` matches the number of neurons in every layer. `matched_activation` also matches their
tenth of mean activation over words.
"""

from pathlib import Path

import pandas as pd

from study.job import in_turn, run
from study.models import open_model
from study.null_optima import describe_null_groups
from study.word_groups import dealt_words
from textualization.analysis.null_draws import matched_group, quantile_strata
from textualization.ascent.protocol import Execution, Protocol
from textualization.directions import activations_over
from textualization.draws import generator
from textualization.files import write_table

#: Quantiles of a layer's neurons by their mean activation.
PARTS = 10
PLACE = ["site", "layer", "index"]


def main(
    weights, candidates, reference, targets, summaries, rankings, null, replicates, selections, sizes,
    per_replicate, protocol: Protocol, execution: Execution, table, context=(), start=None,
) -> None:  # fmt: skip
    words, targets = pd.read_parquet(candidates), pd.read_parquet(targets)
    reference = pd.read_parquet(reference)["id"].to_numpy()
    model = open_model(weights, protocol.reading, words, context, device=execution.device)
    neurons = pd.concat([pd.read_parquet(path) for path in summaries], ignore_index=True)
    strata = _strata(neurons, null)
    places = pd.MultiIndex.from_frame(neurons[PLACE])
    ranked = {
        Path(path).stem.split("-")[0]: dict(
            list(pd.read_parquet(path).groupby("word", observed=True))
        )
        for path in rankings
    }
    tables = []
    for replicate in in_turn("replicate", replicates):
        rows = []
        for target in dealt_words(targets, replicate, per_replicate, protocol.seed).itertuples():
            for selection in selections:
                ranking = ranked[selection][target.word]
                order = places.get_indexer(pd.MultiIndex.from_frame(ranking[PLACE]))
                for size in sizes:
                    identity = (null, replicate, target.word, selection, size)
                    drawn = matched_group(order[:size], strata, generator(protocol.seed, *identity))
                    neurons_of = [places[place] for place in drawn]
                    rows.append((target.word, target.id, selection, size, neurons_of))
        groups = pd.DataFrame(rows, columns=["word", "target", "selection", "size", "neurons"])
        activations = activations_over(model, groups["neurons"].tolist(), reference)
        tables.append(
            describe_null_groups(
                model, groups, reference, activations, null, replicate, protocol, execution, start
            )
        )
    write_table(pd.concat(tables, ignore_index=True), table)


def _strata(neurons: pd.DataFrame, null: str):
    """Return labels of neurons: site, layer and, for `matched_activation`, tenth of mean activation."""
    by = [neurons["site"], neurons["layer"]]
    if null == "matched_activation":
        by.append(neurons.groupby(["site", "layer"])["mean"].transform(quantile_strata, PARTS))
    return neurons.groupby(by).ngroup().to_numpy()


if "snakemake" in globals():
    run(main, snakemake)
