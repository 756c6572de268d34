"""One block of a sweep, on the model or on draws of a null model: every objective in every condition."""

import numpy as np
import pandas as pd
import torch

from asking import Asked, facts_table, tokens_of, words_asked
from climbing import climbed, job_of
from model_access import load_model
from running import run
from textualization.contexts import read_contexts
from textualization.exhaustive import best_words
from textualization.files import write_table
from textualization.objectives import mean_of
from textualization.similarity import nearest_words, target_similarity, unit


def main(
    weights, candidates, reference, targets, tokenizer, contexts, conditions, asked, seed, draws, null,
    job, table,
) -> None:  # fmt: skip
    words, targets = pd.read_parquet(candidates), pd.read_parquet(targets)
    reference = pd.read_parquet(reference)["id"].to_numpy()
    contexts = [context for path in contexts for context in read_contexts(path)]
    ids = np.flatnonzero(words["candidate"])
    targets = words_asked(asked, targets, words, contexts, seed)
    tables, snapshots = [], []
    for draw, path in zip(draws, weights, strict=True):
        read = next(iter(conditions.values()))["protocol"]["read"]
        of = Asked(path, read, words, reference, contexts, tokenizer, seed, draw, len(draws))
        for number, (name, condition) in enumerate(conditions.items()):
            groups, facts = _objectives(of, asked, condition, targets)
            if not groups:
                continue
            protocol = condition["protocol"]
            if protocol["settings"]["solver"] == "exhaustive":
                found = _every_word(path, groups, ids, protocol, job)
            else:
                prefix = ("null", null, draw) if null != "model" else ()
                found, kept = climbed(
                    groups=groups,
                    identities=[(*prefix, *name) for name in _identities(facts, condition)],
                    labels={},
                    protocol=protocol,
                    weights=path,
                    job=job,
                    place=f"{table}.{draw}.{number}",
                    candidates=ids,
                )
                snapshots += kept
            told = _beside_words(facts, found, of, protocol)
            told = told.assign(condition=name, null=null, draw=draw, **_varied(condition))
            tables.append(told.assign(word_activation=_of_words(told, groups, of)))
    write_table(pd.concat(tables, ignore_index=True), table)
    for kept in snapshots:
        kept.remove()


def _varied(condition) -> dict:
    """What a condition varies, and the choice of its neurons, as columns; the site is one already."""
    choice = {key: value for key, value in condition.items() if key not in ("protocol", "varied")}
    return {key: v for key, v in (choice | condition["varied"]).items() if key != "site"}


def _objectives(of: Asked, asked, condition, targets):
    """All objectives of a condition: lists of (site, layer, index), and a table of what they are."""
    groups, rows = [], []
    if "singles" in asked:
        found = of.singles(condition["site"], asked["singles"]["neurons"])
        groups, rows = groups + found[0], rows + found[1]
    if "groups" in asked:
        found = of.groups(targets, asked["groups"]["sizes"], condition)
        groups, rows = groups + found[0], rows + found[1]
    if "contexts" in asked:
        found = of.of_contexts(**asked["contexts"], choice=condition)
        groups, rows = groups + found[0], rows + found[1]
    return groups, facts_table([{"site": condition["site"]} | row for row in rows])


def _identities(facts, condition) -> list[tuple]:
    """What x0 is drawn by: as in the study itself, so that both start alike."""
    choice = (condition["selection"], condition["scope"])
    return [
        ("single", row.site, row.layer, row.index, 0)
        if row.kind == "single"
        else ("group", row.word, *choice, row.scope_layer, row.size, 0)
        if row.kind == "group"
        else (row.kind, row.item, row.label, *choice, row.size)
        for row in facts.itertuples(index=False)
    ]


def _every_word(path, groups, ids, protocol, job) -> dict:
    model = load_model(path, protocol["read"], job["device"], protocol["precision"]["dtype"])
    objectives = mean_of(groups, model)
    word, activation = best_words(model, objectives, torch.as_tensor(ids))
    e = model.word_embeddings[word].float().cpu().numpy()
    activation = activation.double().cpu().numpy()
    return {"start": e, "embedding": e, "activation": activation, "curve": activation[None]} | {
        "ceiling": objectives.ceiling(model).numpy(),
        "steps": np.array([0]),
        "finite": np.isfinite(activation),
    }


def _beside_words(facts, found, of: Asked, protocol) -> pd.DataFrame:
    """What each optimum is, and how it lies among the words, at the position read and at the others."""
    e, candidates = of.model.word_embeddings.numpy(), of.words["candidate"].to_numpy()
    names, length = of.words["word"].to_numpy(), protocol["length"]
    shape = (len(facts), length, e.shape[1])
    optima, starts = found["embedding"].reshape(shape), found["start"].reshape(shape)
    own, start = optima[:, protocol["place"] - 1], starts[:, protocol["place"] - 1]
    nearest = [nearest_words(optima[:, i], e, candidates) for i in range(length)]
    facts = facts.assign(
        activation=found["activation"],
        ceiling=found["ceiling"],
        start_activation=found["curve"][0],
        gain_at_the_end=_late_gain(found["steps"], found["curve"]),
        norm=np.linalg.norm(own, axis=1) / np.linalg.norm(e[candidates], axis=1).mean(),
        turned=(unit(own) * unit(start)).sum(axis=1),
        nearest_word=names[nearest[protocol["place"] - 1][0]],
        nearest_cosine=nearest[protocol["place"] - 1][1],
        start_nearest_cosine=nearest_words(start, e, candidates)[1],
        nearest_everywhere=[
            " ".join(names[[ids[row] for ids, _ in nearest]]) for row in facts.index
        ],
        embedding=list(found["embedding"].astype(np.float32)),
    )
    others = [cosine for i, (_, cosine) in enumerate(nearest) if i != protocol["place"] - 1]
    facts["nearest_cosine_elsewhere"] = np.mean(others, axis=0) if others else np.nan
    facts = facts.assign(target_cosine=np.nan, target_rank=np.nan, margin=np.nan)
    facts = facts.assign(recovered=np.nan, recovered_elsewhere=np.nan)
    has = facts["target"].to_numpy() >= 0
    if has.any():
        target = facts["target"].to_numpy()[has]
        similar = target_similarity(own[has], target, e, candidates)
        for column in ("target_cosine", "target_rank", "margin"):
            facts.loc[has, column] = similar[column].to_numpy()
        came = np.array([ids[has] == target for ids, _ in nearest])
        facts.loc[has, "recovered"] = came[protocol["place"] - 1].astype(float)
        others = np.delete(came, protocol["place"] - 1, axis=0)
        if length > 1:
            facts.loc[has, "recovered_elsewhere"] = others.any(axis=0).astype(float)
    return _beside_contexts(facts, own, e, of) if of.contexts else facts


def _beside_contexts(facts, optima, e, of: Asked) -> pd.DataFrame:
    """Cosines to a context's word, to the mean of its sentences, to the other label's; what is nearest.

    `nearest_to`: the mean of a phrase or of sentences, one of their own words, or another word.
    """
    tokens: dict = {}
    for c in of.contexts:
        ids, word = tokens_of(c, of.tokenizer)
        kept = tokens.setdefault((c.kind, c.item), {}).setdefault(c.label, ([], []))
        kept[0].extend(ids)
        kept[1].extend(ids[place] for place in word)
    candidates, words = of.words["candidate"].to_numpy(), unit(e)
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
    told = pd.DataFrame(found, columns=columns, index=facts.index)
    return facts.join(told).assign(nearest_to=nearest_to)


def _late_gain(steps, curve) -> np.ndarray:
    """By what share of its final magnitude an activation rose over the last tenth of the steps."""
    earlier = np.searchsorted(steps, 0.9 * steps[-1], side="right") - 1
    return (curve[-1] - curve[earlier]) / np.abs(curve[-1])


def _of_words(facts, groups, of: Asked) -> np.ndarray:
    """What each group's own word does to it, alone between the fixed tokens; NaN where it has none."""
    found, targets = np.full(len(facts), np.nan), facts["target"].to_numpy()
    has = np.flatnonzero(targets >= 0)
    if len(has):
        objectives = mean_of([groups[row] for row in has], of.model)
        with torch.inference_mode():
            inputs = of.model.word_embeddings[torch.as_tensor(targets[has])]
            found[has] = objectives.value(of.model.activations(inputs, objectives.neurons)).numpy()
    return found


if "snakemake" in globals():
    run(
        main,
        snakemake,
        weights=snakemake.input.weights,
        candidates=snakemake.input.candidates,
        reference=snakemake.input.reference,
        targets=snakemake.input.targets,
        tokenizer=snakemake.input.tokenizer,
        contexts=list(snakemake.input.contexts),
        null=snakemake.wildcards.null,
        **dict(snakemake.params.items()),
        job=job_of(snakemake),
        table=snakemake.output[0],
    )
