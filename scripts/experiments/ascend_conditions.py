"""Ascend under every condition of a block, on the model or on replicates of a null model.

With several free positions, explanation compares the optimum at the position that is read with the
activations by words alone between the fixed tokens (`[CLS] w [SEP]`), as with one. What a search
finds is described at the token that is read.
"""

from dataclasses import replace
from itertools import groupby

import numpy as np
import pandas as pd
import torch

from study.config.experiments import ALONE, SEARCHES
from study.experiments.context_groups import tokens_of
from study.experiments.context_table import read_contexts
from study.experiments.objectives import FACTS, ExperimentObjectives, requested_words
from study.job import in_turn, run
from study.models import open_model
from study.starts import at_own_words, at_words, started
from study.texts.searches import search
from textualization.analysis.describe import among_words
from textualization.analysis.explanation import explanation, held_out_explanation
from textualization.analysis.similarity import (
    cosine_to_others,
    late_change,
    nearest_words,
    unit,
    utilisation,
)
from textualization.ascent.exhaustive import by_words
from textualization.ascent.objectives import mean_of
from textualization.ascent.protocol import Execution, Protocol, ascend_objectives
from textualization.files import write_table
from textualization.models.model import Model
from textualization.models.tokenizer import load_tokenizer
from textualization.models.vocabulary import WordLookup
from textualization.optima_arrays import OptimaArrays


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
    """Ascend on objectives, or search, and compare what is found with words and with each other."""
    model, groups, items = neurons.model, objectives["neurons"], None
    if protocol.solver in SEARCHES:
        optima, items = search(model, objectives, protocol, corpus)
        protocol = replace(protocol, length=1, place=1)
    else:
        ids = np.flatnonzero(model.candidates)
        optima = ascend_objectives(model, objectives, protocol, execution, ids)
    found = _described(optima, neurons, protocol)
    found["word_activation"] = _own_word_activation(found, groups, model)
    optima = _where_read(optima, protocol)
    words, transformer = np.array(neurons.reference), model.transformer()
    means = mean_of(groups.tolist(), transformer)
    by_reference = by_words(transformer, means, torch.tensor(words)).cpu().numpy()
    explained = explanation(optima.embedding, optima.start, model.embeddings[words], by_reference)
    found["explanation"] = explained["explanation"].to_numpy()
    found["best_word_activation"] = by_reference.max(axis=0)
    found["utilisation_best_word"] = utilisation(found["best_word_activation"], found["activation"])
    found["share_of_ceiling"] = utilisation(found["activation"], found["ceiling"])
    found["restart_cosine"] = _agreement(objectives, optima.embedding)
    return found if items is None else _with_items(found, items, model, words, by_reference)


def _with_items(found, items, model: Model, words, by_reference) -> pd.DataFrame:
    """Add what a search found, and the explanation by its top items' mean, on the other words."""
    top, e = items.pop("top_ids"), model.embeddings
    means = np.stack([e[ids].mean(axis=0) for ids in top])
    used = [np.isin(words, ids) for ids in top]
    items["explanation_top"] = held_out_explanation(means, e[words], by_reference, used)
    names = model.words["word"].to_numpy()
    items["top_items"] = [" ".join(names[ids]) for ids in top]
    return found.assign(**{column: items[column].to_numpy() for column in items})


def _agreement(objectives, embedding) -> np.ndarray:
    """Return each optimum's mean cosine to the objective's optima from other starts, (n,).

    NaN for an objective with one start.
    """
    found = np.full(len(objectives), np.nan)
    keys = [name for name in FACTS if name != "restart"]
    for rows in objectives.groupby(keys, sort=False).indices.values():
        if len(rows) > 1:
            found[rows] = cosine_to_others(embedding[rows])
    return found


def _started(objectives, neurons: ExperimentObjectives, condition, start) -> pd.DataFrame:
    """Let objectives start where the condition says. start: see `started`."""
    model, where = neurons.model, condition.get("start", "random")
    if where == "own_word":
        return at_own_words(objectives, model, np.array(neurons.reference))
    if where == "mean_word":
        return at_words(objectives, model, np.flatnonzero(model.candidates))
    return started(objectives, model, start if where == "study" else None)


def _where_read(optima: OptimaArrays, protocol: Protocol) -> OptimaArrays:
    """Return optima and starts at the position that is read alone, (n, H)."""
    shape, place = (len(optima), protocol.length, -1), protocol.place - 1
    start, e = (a.reshape(shape)[:, place] for a in (optima.start, optima.embedding))
    return replace(optima, start=start, embedding=e)


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


def _described(
    optima: OptimaArrays, neurons: ExperimentObjectives, protocol: Protocol
) -> pd.DataFrame:
    """Describe optima and compare them with words, at the position read and at the others."""
    model, place, length = neurons.model, protocol.place - 1, protocol.length
    e, candidates = model.embeddings, model.candidates
    shape = (len(optima), length, e.shape[1])
    found, start = optima.embedding.reshape(shape), optima.start.reshape(shape)
    facts, own = optima.objectives, found[:, place]
    target = facts["target"].to_numpy()
    among = among_words(own, start[:, place], e, model.words, target)
    nearest = [
        nearest_words(found[:, i], e, candidates)
        if i != place
        else (among["nearest"].to_numpy(), among["nearest_cosine"].to_numpy())
        for i in range(length)
    ]
    names = model.words["word"].to_numpy()
    facts = facts.assign(
        activation=optima.activation,
        ceiling=optima.ceiling,
        start_activation=optima.curve[0],
        gain_at_the_end=late_change(optima.steps, optima.curve, 0.1) / np.abs(optima.curve[-1]),
        norm=np.linalg.norm(own, axis=1) / np.linalg.norm(e[candidates], axis=1).mean(),
        turned=(unit(own) * unit(start[:, place])).sum(axis=1),
        nearest_word=among["nearest_word"],
        nearest_cosine=among["nearest_cosine"],
        start_nearest_cosine=among["start_nearest_cosine"],
        nearest_everywhere=[
            " ".join(names[[ids[row] for ids, _ in nearest]]) for row in range(len(facts))
        ],
        embedding=list(optima.embedding.astype(np.float32)),
    )
    others = [cosine for i, (_, cosine) in enumerate(nearest) if i != place]
    facts["nearest_cosine_elsewhere"] = np.mean(others, axis=0) if others else np.nan
    for column in ("target_cosine", "target_rank", "margin", "recovered"):
        facts[column] = among[column].astype(float)
    facts["recovered_elsewhere"] = np.nan
    has = target >= 0
    if length > 1 and has.any():
        elsewhere = [ids[has] == target[has] for i, (ids, _) in enumerate(nearest) if i != place]
        facts.loc[has, "recovered_elsewhere"] = np.any(elsewhere, axis=0).astype(float)
    return _among_contexts(facts, own, e, neurons) if neurons.contexts else facts


def _among_contexts(facts, optima, e, neurons: ExperimentObjectives) -> pd.DataFrame:
    """Add cosines to the context's word, to its mean and to the other label's mean; and `nearest_to`.

    `nearest_to`: the context (mean of its tokens), one of its own words, or another word.
    """
    tokens: dict = {}
    for c in neurons.contexts:
        ids, word = tokens_of(c, neurons.model.tokenizer)
        kept = tokens.setdefault((c.kind, c.item), {}).setdefault(c.label, ([], []))
        kept[0].extend(ids)
        kept[1].extend(ids[place] for place in word)
    candidates, words = neurons.model.words["candidate"].to_numpy(), unit(e)
    columns = ["word_cosine", "context_cosine", "other_cosine", "own_word_cosine"]
    found = np.full((len(facts), len(columns)), np.nan)
    nearest_to = np.full(len(facts), "", dtype=object)
    for row, (kind, item, label) in enumerate(
        zip(facts["kind"], facts["item"], facts["label"], strict=True)
    ):
        if (kind, item) not in tokens:
            continue
        labels, optimum = tokens[kind, item], unit(optima[row : row + 1])[0]
        ids, word = labels[label]
        others = [i for name, (of_other, _) in labels.items() if name != label for i in of_other]
        means = [unit(e[of_kind].mean(axis=0)[None])[0] for of_kind in (word, ids)]
        cosine = words @ optimum
        own = cosine[np.unique(ids)].max()
        found[row, :2] = means[0] @ optimum, means[1] @ optimum
        found[row, 2] = unit(e[others].mean(axis=0)[None])[0] @ optimum if others else np.nan
        found[row, 3] = own
        foreign = candidates.copy()
        foreign[ids] = False
        near = {"context": found[row, 1], "own word": own, "another word": cosine[foreign].max()}
        nearest_to[row] = max(near, key=near.get)
    cosines = pd.DataFrame(found, columns=columns, index=facts.index)
    return facts.join(cosines).assign(nearest_to=nearest_to)


def _own_word_activation(facts, groups, model: Model) -> np.ndarray:
    """Return each group's activation for its word between the fixed tokens; NaN without a word."""
    found, targets = np.full(len(facts), np.nan), facts["target"].to_numpy()
    has = np.flatnonzero(targets >= 0)
    if len(has):
        transformer = model.transformer()
        means = mean_of([groups[row] for row in has], transformer)
        inputs = transformer.word_embeddings[torch.as_tensor(targets[has])]
        found[has] = means.at(transformer, inputs).cpu().numpy()
    return found


if "snakemake" in globals():
    run(main, snakemake)
