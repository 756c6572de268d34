"""Ascend on directions of a null model: some replicates, some directions of every set and layer."""

import pandas as pd

from study.described_directions import describe_directions
from study.job import in_turn, run
from study.made_directions import make_directions
from study.models import open_model
from study.starts import started
from textualization.analysis.describe import in_order
from textualization.analysis.null_draws import dealt
from textualization.ascent.protocol import Execution, Protocol, ascend_objectives
from textualization.files import write_table
from textualization.models.transformer import Tap
from textualization.registry import SIGNS

FIRST = "null draw set site layer name restart activation ceiling"


def main(
    weights, candidates, reference, null, replicates, sets, widths, per_replicate, seed,
    protocol: Protocol, execution: Execution, table, words=None, files=(), context=(),
    start=None,
) -> None:  # fmt: skip
    """files: those of the sets, which name them; an input, so that a changed file counts."""
    vocabulary = pd.read_parquet(candidates)
    reference = pd.read_parquet(reference)["id"].to_numpy()
    words = None if words is None else pd.read_parquet(words)
    # Directions are made of the activations as they are; the model reads those of minima negated.
    sign, tables = SIGNS[protocol.seek], []
    for replicate, path in in_turn("replicate", zip(replicates, weights, strict=True)):
        model = open_model(path, protocol.reading, vocabulary, context, device=execution.device)

        def activations(site, layer, ids, model=model):
            tap = Tap(site, layer)
            return model.word_activations(ids, [tap])[tap]

        made = [
            _dealt(
                make_directions(
                    name, of, layer, widths[of["site"]], words, reference,
                    lambda ids, of=of, layer=layer: sign * activations(of["site"], layer, ids),
                    seed,
                ),
                replicate,
                per_replicate,
            )
            for name, (of, layers) in sets.items()
            for layer in layers
        ]  # fmt: skip
        made = pd.concat(made, ignore_index=True)
        taps = zip(made["site"], made["layer"], strict=True)
        objectives = made.drop(columns="vector").assign(
            neurons=[{tap: vector} for tap, vector in zip(taps, made["vector"], strict=True)],
            identity=[("direction", null, replicate, name) for name in made["name"]],
        )
        objectives = started(objectives, model, start)
        optima = ascend_objectives(model, objectives, protocol, execution)
        described = describe_directions(
            optima.with_curves(optima.facts()),
            optima.start,
            optima.embedding,
            model.embeddings,
            vocabulary,
            made["vector"].to_numpy(),
            reference,
            activations,
        )
        tables.append(described.assign(null=null, draw=replicate, restart=0))
    write_table(in_order(pd.concat(tables, ignore_index=True), FIRST), table)


def _dealt(made: pd.DataFrame, replicate: int, count: int) -> pd.DataFrame:
    return made.iloc[dealt(range(len(made)), replicate, count)]


if "snakemake" in globals():
    run(main, snakemake)
