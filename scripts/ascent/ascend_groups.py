"""Ascend on groups of neurons: one selection and scope, some sizes, all words and restarts."""

import pandas as pd

from study.job import run
from study.word_groups import word_groups
from textualization.ascent.protocol import Execution, Protocol, ascend_objectives
from textualization.models.model import Model


def main(
    weights, targets, ranking, selection, scope, sizes, batch: int, restarts, repeated, per_job,
    protocol: Protocol, execution: Execution, optima,
) -> None:  # fmt: skip
    table = word_groups(
        pd.read_parquet(ranking),
        pd.read_parquet(targets),
        [int(size) for size in sizes.split("_")],
        selection=selection,
        scope=scope,
        restarts=restarts,
        repeated=repeated,
        seed=protocol.seed,
    )
    table = table.iloc[batch * per_job : (batch + 1) * per_job]
    model = Model.open(weights, read=protocol.read, device=execution.device)
    ascend_objectives(model, table, protocol, execution).save(optima)


if "snakemake" in globals():
    run(main, snakemake)
