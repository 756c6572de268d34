"""Ascend on groups of neurons: one selection and scope, some sizes, all words and restarts."""

import pandas as pd

from study.job import run
from study.models import open_model
from study.starts import started
from study.word_groups import dealt_words, word_groups
from textualization.ascent.protocol import Execution, Protocol, ascend_objectives


def main(
    weights, targets, ranking, selection, scope, sizes, batch: int, words, restarts, repeated, per_job,
    protocol: Protocol, execution: Execution, optima, context=(), start=None,
) -> None:  # fmt: skip
    ranking, targets = pd.read_parquet(ranking), pd.read_parquet(targets)
    if words != "all":
        targets = dealt_words(targets, 0, words, protocol.seed)
        ranking = ranking[ranking["word"].isin(targets["word"])]
    table = word_groups(
        ranking,
        targets,
        [int(size) for size in sizes.split("_")],
        selection=selection,
        scope=scope,
        restarts=restarts,
        repeated=repeated,
        seed=protocol.seed,
    )
    table = table.iloc[batch * per_job : (batch + 1) * per_job]
    model = open_model(weights, protocol.reading, context=context, device=execution.device)
    table = started(table, model, start)
    ascend_objectives(model, table, protocol, execution).save(optima)


if "snakemake" in globals():
    run(main, snakemake)
