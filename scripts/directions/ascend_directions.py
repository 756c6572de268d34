"""Ascend on directions: one batch of a set."""

import pandas as pd

from study.job import run
from study.models import open_model
from study.starts import started
from textualization.ascent.protocol import Execution, Protocol, ascend_objectives
from textualization.draws import runs


def main(
    weights, vectors, direction_set, batch: int, restarts, repeated, per_job, protocol: Protocol,
    execution: Execution, optima, context=(), start=None,
) -> None:  # fmt: skip
    made = pd.read_parquet(vectors)
    objectives = [
        made.loc[row, ["set", "site", "layer", "name", "word"]].to_dict()
        | {"restart": restart, "neurons": {(of["site"][row], layer): of["vector"][row].copy()}}
        for layer, of in made.groupby("layer")
        for row, restart in runs(protocol.seed, of.index, restarts, repeated, direction_set, layer)
    ]
    table = pd.DataFrame(objectives).iloc[batch * per_job : (batch + 1) * per_job]
    # As the library names its directions: both have the same start.
    names = zip(table["name"], table["restart"], strict=True)
    table["identity"] = [("direction", name, restart) for name, restart in names]
    model = open_model(weights, protocol.reading, context=context, device=execution.device)
    table = started(table, model, start)
    ascend_objectives(model, table, protocol, execution).save(optima)


if "snakemake" in globals():
    run(main, snakemake)
