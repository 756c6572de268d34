"""Ascend under every condition of a block, on the model or on replicates of a null model."""

from itertools import groupby

import numpy as np
import pandas as pd

from study.config.experiments import ALONE, SEARCHES
from study.experiments.context_table import read_contexts
from study.experiments.objectives import ExperimentObjectives, requested_words
from study.experiments.optima import described
from study.job import in_turn, run
from study.models import open_model
from study.starts import at_own_words, at_words, started
from study.texts.searches import search
from textualization.ascent.protocol import Execution, Protocol, ascend_objectives
from textualization.files import write_table
from textualization.models.tokenizer import load_tokenizer
from textualization.models.vocabulary import WordLookup


def main(
    weights, candidates, reference, targets, tokenizer, contexts, conditions, requested, seed,
    replicates, null, execution: Execution, table, context=(), start=None, corpus: list = (),
) -> None:  # fmt: skip
    words, targets = pd.read_parquet(candidates), pd.read_parquet(targets)
    reference = pd.read_parquet(reference)["id"].to_numpy()
    contexts = [context for path in contexts for context in read_contexts(path)]
    tokenizer = load_tokenizer(tokenizer)
    lookup, candidates = WordLookup(words, tokenizer), words["candidate"].to_numpy()
    targets = requested_words(requested, targets, lookup, candidates, contexts, seed)
    reading = Protocol(**next(iter(conditions.values()))["protocol"]).reading
    how = {"tokenizer": tokenizer, "device": execution.device}
    tables = []
    for replicate, path in in_turn("replicate", zip(replicates, weights, strict=True)):
        model = open_model(path, reading, words, context, **how)
        plain = ExperimentObjectives(model, reference, contexts, seed, replicate, len(replicates))
        prefix = ("null", null, replicate) if null != "model" else ()
        # One basis at a time is in memory.
        of_model = in_turn("condition", conditions.items())
        for (basis, site), same in groupby(of_model, key=_what_is_read):
            neurons = plain.in_basis(basis, site)
            for name, condition in same:
                objectives = neurons.objectives(requested, targets, condition)
                if not len(objectives):
                    continue
                objectives["identity"] = [(*prefix, *i) for i in _identities(objectives, condition)]
                objectives = _started(objectives, neurons, condition, start)
                protocol = Protocol(**condition["protocol"])
                found = _found(neurons, objectives, protocol, execution, next(iter(corpus), None))
                facts = {"condition": name, "null": null, "draw": replicate}
                tables.append(found.assign(**facts, **_varied(condition)))
    write_table(pd.concat(tables, ignore_index=True), table)


def _what_is_read(condition: tuple[str, dict]) -> tuple[str, str]:
    return condition[1]["basis"], condition[1]["site"]


def _found(
    neurons: ExperimentObjectives, objectives, protocol: Protocol, execution, corpus
) -> pd.DataFrame:
    """Ascend on objectives, or search, and describe what is found."""
    model = neurons.model
    if protocol.solver in SEARCHES:
        optima, items = search(model, objectives, protocol, corpus)
        # What a search finds is described at the token that is read: one position.
        return described(optima, objectives, neurons, items=items)
    ids = np.flatnonzero(model.candidates)
    optima = ascend_objectives(model, objectives, protocol, execution, ids)
    return described(optima, objectives, neurons, protocol.length, protocol.place)


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
