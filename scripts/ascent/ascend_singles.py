"""Ascend on single neurons: one batch of the neurons of some layers."""

import pandas as pd

from study.job import run
from study.models import open_model
from study.starts import started
from textualization.ascent.protocol import Execution, Protocol, ascend_objectives
from textualization.draws import drawn_neurons, runs


def main(
    weights, site, layers, batch: int, width, neurons, restarts, repeated, per_job,
    protocol: Protocol, execution: Execution, optima, context=(), start=None,
) -> None:  # fmt: skip
    objectives = []
    for layer in layers:
        drawn = drawn_neurons(protocol.seed, site, layer, width, neurons).tolist()
        repeats = runs(protocol.seed, drawn, restarts, repeated, site, layer)
        objectives += [(site, layer, index, restart) for index, restart in repeats]
    table = pd.DataFrame(
        objectives[batch * per_job : (batch + 1) * per_job],
        columns=["site", "layer", "index", "restart"],
    )
    names = table[["site", "layer", "index"]].itertuples(index=False, name=None)
    table["neurons"] = [[name] for name in names]
    table["identity"] = [("single", *row) for row in table[list(table)[:4]].itertuples(index=False)]
    model = open_model(weights, protocol.reading, context=context, device=execution.device)
    table = started(table, model, start)
    ascend_objectives(model, table, protocol, execution).save(optima)


if "snakemake" in globals():
    run(main, snakemake)
