"""Ascend on single neurons of a null model: some replicates, a few neurons of every layer each."""

import numpy as np
import pandas as pd

from study.job import in_turn, run
from study.models import open_model
from study.starts import started
from textualization.analysis.activation_summaries import neuron_summary
from textualization.analysis.describe import describe_singles, in_order
from textualization.analysis.null_draws import dealt
from textualization.ascent.protocol import Execution, Protocol, ascend_objectives
from textualization.directions import activations_over
from textualization.draws import drawn_neurons
from textualization.explanations import explanation_over
from textualization.files import write_table
from textualization.models.model import Model
from textualization.models.transformer import Tap

FIRST = "null draw site layer index restart activation ceiling"


def main(
    weights, candidates, reference, null, replicates, widths, layers, neurons, per_replicate,
    protocol: Protocol, execution: Execution, table, context=(), start=None,
) -> None:  # fmt: skip
    words = pd.read_parquet(candidates)
    reference = pd.read_parquet(reference)["id"].to_numpy()
    tables = []
    for replicate, path in in_turn("replicate", zip(replicates, weights, strict=True)):
        model = open_model(path, protocol.reading, words, context, device=execution.device)
        objectives = pd.DataFrame(
            [
                (site, layer, int(index))
                for site, width in widths.items()
                for layer in layers
                for index in dealt(
                    drawn_neurons(protocol.seed, site, layer, width, neurons),
                    replicate,
                    per_replicate,
                )
            ],
            columns=["site", "layer", "index"],
        )
        names = list(objectives.itertuples(index=False, name=None))
        objectives["neurons"] = [[name] for name in names]
        objectives["identity"] = [("single", null, replicate, *name) for name in names]
        objectives = started(objectives, model, start)
        optima = ascend_objectives(model, objectives, protocol, execution)
        groups = objectives["neurons"].tolist()
        activations = activations_over(model, groups, reference)
        explained = explanation_over(model, reference, activations, groups, optima)
        described = describe_singles(
            optima.with_curves(optima.facts()).join(explained),
            optima.start,
            optima.embedding,
            model.embeddings,
            words,
            _summary(objectives, reference, activations),
            _activations_of(model),
        )
        tables.append(described.assign(null=null, draw=replicate, restart=0))
    write_table(in_order(pd.concat(tables, ignore_index=True), FIRST), table)


def _summary(objectives, words, activations) -> pd.DataFrame:
    """Summarise the objectives' neurons over words, by their activations (words, n)."""
    every = np.ones(len(words), dtype=bool)
    table = neuron_summary(activations.astype(np.float32), every, top=1)
    table["top_words"] = [words[places] for places in table["top_words"]]
    return table.assign(**{name: objectives[name] for name in ("site", "layer", "index")})


def _activations_of(model: Model):
    def activations_of(facts, word):
        taps = [Tap(*tap) for tap in zip(facts["site"], facts["layer"], strict=True)]
        a = model.word_activations(word, sorted(set(taps)))
        rows = zip(taps, facts["index"], strict=True)
        return [a[tap][row, index] for row, (tap, index) in enumerate(rows)]

    return activations_of


if "snakemake" in globals():
    run(main, snakemake)
