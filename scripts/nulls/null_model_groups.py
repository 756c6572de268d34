"""Ascend on groups of a null model's neurons, chosen by its own word activations."""

import numpy as np
import pandas as pd

from study.job import in_turn, run
from study.models import open_model
from study.null_optima import describe_null_groups
from study.stored_activations import mean_activations
from study.word_groups import dealt_words
from textualization.analysis.selection import neuron_tuples, strongest_neurons
from textualization.ascent.protocol import Execution, Protocol
from textualization.files import write_table
from textualization.models.word_activations import all_taps, summaries_of


def main(
    weights, candidates, reference, targets, null, replicates, sites, selections, sizes,
    per_replicate, protocol: Protocol, execution: Execution, table, context=(), start=None,
) -> None:  # fmt: skip
    words, targets = pd.read_parquet(candidates), pd.read_parquet(targets)
    reference = pd.read_parquet(reference)["id"].to_numpy()
    tables = []
    for replicate, path in in_turn("replicate", zip(replicates, weights, strict=True)):
        chosen = dealt_words(targets, replicate, per_replicate, protocol.seed)
        model = open_model(path, protocol.reading, words, context, device=execution.device)
        taps = all_taps(model.transformer(), sites)
        by_reference = model.word_activations(reference, taps)
        neurons = summaries_of(by_reference, reference)
        by_chosen = model.word_activations(chosen["id"], taps)
        activations = np.concatenate(list(by_chosen.values()), axis=1)
        places = neuron_tuples(neurons)
        rows = []
        for selection in selections:
            for target, activation in zip(chosen.itertuples(), activations, strict=True):
                order = strongest_neurons(selection, activation, neurons, max(sizes))
                rows += [
                    (target.word, target.id, selection, size, [places[i] for i in order[:size]])
                    for size in sizes
                ]
        groups = pd.DataFrame(rows, columns=["word", "target", "selection", "size", "neurons"])
        matrices = {
            site: [a for tap, a in by_reference.items() if tap.site == site] for site in sites
        }
        means = mean_activations(matrices, groups["neurons"].tolist(), np.arange(len(reference)))
        del by_reference, matrices  # not needed during the ascent
        tables.append(
            describe_null_groups(
                model, groups, reference, means, null, replicate, protocol, execution, start
            )
        )
    write_table(pd.concat(tables, ignore_index=True), table)


if "snakemake" in globals():
    run(main, snakemake)
