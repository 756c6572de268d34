"""Ascend under every condition of a block, on the model or on replicates of a null model."""

from collections.abc import Iterator
from itertools import groupby

import numpy as np
import pandas as pd

from study.config.variables import ALONE, SEARCHES
from study.experiments.inputs import ExperimentInputs
from study.experiments.objectives import ExperimentObjectives
from study.experiments.optima import described
from study.experiments.packing import ascend_together, packs
from study.job import in_turn, run
from study.starts import at_own_words, at_words, started
from study.texts.searches import search
from textualization.ascent.protocol import Execution, Protocol
from textualization.files import write_table


def main(
    weights, candidates, reference, targets, tokenizer, contexts, conditions, requested, seed,
    replicates, null, execution: Execution, table, context=(), start=None, corpus: list = (),
) -> None:  # fmt: skip
    inputs = ExperimentInputs.read(
        candidates, reference, targets, tokenizer, contexts, conditions, requested, seed
    )
    tables = []

    def ascend(path, replicate):
        # In a function, so that its model is freed before the next is opened.
        plain = inputs.open(path, replicate, len(replicates), context, device=execution.device)
        prefix = ("null", null, replicate) if null != "model" else ()
        found = {}
        for pack, neurons in _in_bases(plain, conditions):
            condition = next(iter(pack.values()))  # they differ in their number of steps only
            objectives = neurons.objectives(requested, inputs.chosen, condition)
            if not len(objectives):
                continue
            objectives["identity"] = [(*prefix, *i) for i in _identities(objectives, condition)]
            objectives = _started(objectives, neurons, condition, start)
            protocols = [Protocol(**condition["protocol"]) for condition in pack.values()]
            optima = _found(neurons, objectives, protocols, execution, next(iter(corpus), None))
            found |= zip(pack, optima, strict=True)
        for name in [name for name in conditions if name in found]:
            facts = {"condition": name, "null": null, "draw": replicate}
            tables.append(found[name].assign(**facts, **_varied(conditions[name])))

    for replicate, path in in_turn("replicate", zip(replicates, weights, strict=True)):
        ascend(path, replicate)
    write_table(pd.concat(tables, ignore_index=True), table)


def _in_bases(plain: ExperimentObjectives, conditions) -> Iterator[tuple]:
    """Yield the conditions that ascend together, and their neurons, which those of one basis share."""
    in_order = in_turn("conditions", packs(conditions))
    for (basis, site), same in groupby(in_order, key=_what_is_read):
        neurons = plain.in_basis(basis, site)
        for pack in same:
            yield pack, neurons


def _what_is_read(pack: dict[str, dict]) -> tuple[str, str]:
    condition = next(iter(pack.values()))
    return condition["basis"], condition["site"]


def _found(
    neurons: ExperimentObjectives, objectives, protocols: list[Protocol], execution, corpus
) -> list[pd.DataFrame]:
    """Ascend on objectives by every protocol, or search, and describe what is found."""
    model, protocol = neurons.model, protocols[0]
    if protocol.solver in SEARCHES:
        optima, items = search(model, objectives, protocol, corpus)
        # What a search finds is described at the token that is read: one position.
        return [described(optima, objectives, neurons, items=items)]
    ids = np.flatnonzero(model.candidates)
    optima = ascend_together(model, objectives, protocols, execution, ids)
    at = (protocol.length, protocol.place)
    return [described(of_one, objectives, neurons, *at) for of_one in optima]


def _started(objectives, neurons: ExperimentObjectives, condition, start) -> pd.DataFrame:
    """Let objectives start where the condition says. start: see `started`."""
    model, where = neurons.model, condition.get("start", "random")
    if where == "own_word":
        return at_own_words(objectives, model, np.array(neurons.reference))
    if where == "mean_word":
        return at_words(objectives, model, np.flatnonzero(model.candidates))
    return started(objectives, model, start if where == "study" else None)


def _varied(condition) -> dict:
    """Return what a condition varies, and how it chooses neurons, as columns other than `site`."""
    choice = {key: value for key, value in condition.items() if key not in ("protocol", "varied")}
    return {key: v for key, v in (choice | condition["varied"]).items() if key != "site"}


def _identities(objectives, condition) -> list[tuple]:
    """Return what seeds each x₀: the same as in the study, so that both have the same start."""
    choice = (condition["selection"], condition["scope"])
    return [
        ("single", row.site, row.layer, row.index, row.restart)
        if row.kind in ALONE
        else ("group", row.word, *choice, row.scope_layer, row.size, row.restart)
        if row.kind == "group"
        else (row.kind, row.item, row.label, *choice, row.size)
        for row in objectives.itertuples(index=False)
    ]


if "snakemake" in globals():
    run(main, snakemake)
