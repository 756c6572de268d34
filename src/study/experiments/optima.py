"""What an experiment says of its optima: how they compare with words, with contexts, with each other.

With several free positions, explanation compares the optimum at the position that is read with the
activations by words alone between the fixed tokens (`[CLS] w [SEP]`), as with one.
"""

import numpy as np
import pandas as pd
import torch

from study.experiments.context_cosines import context_cosines
from study.experiments.objectives import FACTS, ExperimentObjectives
from textualization.analysis.describe import among_words
from textualization.analysis.explanation import explanation, held_out_explanation
from textualization.analysis.similarity import (
    cosine_to_others,
    late_change,
    nearest_words,
    unit,
    utilisation,
)
from textualization.ascent.objectives import mean_of
from textualization.models.model import Model
from textualization.optima_arrays import OptimaArrays


def described(
    optima: OptimaArrays,
    objectives: pd.DataFrame,
    neurons: ExperimentObjectives,
    length: int = 1,
    place: int = 1,
    items: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Compare what an experiment found with words, with contexts if it has some, and with each other.

    Args:
        optima: what an ascent or a search found, n optima; they keep the columns FACTS.
        objectives: the n objectives: FACTS and `neurons`.
        neurons: the model, its reference words and its contexts.
        length: number of free positions in the optima.
        place: the position that is read, from 1.
        items: of searches, what `study.texts.searches.search` returns beside the optima.

    Returns:
        n rows: the optima's own columns and these, at the position that is read unless stated:

        - `activation`, `ceiling`, `start_activation`; `gain_at_the_end`: what the last tenth of the
          steps gained, as a share of the last activation's size.
        - `norm`: |e|, in mean norms of candidate words; `turned`: the cosine of e and e₀.
        - `nearest_word`, `nearest_cosine`, `start_nearest_cosine`; `nearest_everywhere`: the nearest
          words of all positions; `nearest_cosine_elsewhere`: the mean over the positions not read.
        - `embedding`: of all positions, (length · H,), float32.
        - `target_cosine`, `target_rank`, `margin`, `recovered`; `recovered_elsewhere`: is the target
          nearest at a position that is not read? All NaN without a target.
        - with contexts: see `study.experiments.context_cosines.context_cosines`.
        - `word_activation`, `best_word_activation`: the activation by the objective's own word, NaN
          without one, and the highest by a reference word; `utilisation_best_word`.
        - `share_of_ceiling`; `explanation`, over the reference words.
        - `restart_cosine`: the mean cosine to the objective's optima from other starts.
        - with items: see `with_items`.
    """
    model, reference = neurons.model, np.array(neurons.reference)
    e, start = (
        a.reshape(len(optima), length, -1)[:, place - 1] for a in (optima.embedding, optima.start)
    )
    found = _among_words(optima, model, length, place)
    if neurons.contexts:
        found = found.join(context_cosines(found, e, model, neurons.contexts))
    found["word_activation"] = _own_word_activation(objectives, model)
    by_reference = neurons.by_reference(objectives)
    explained = explanation(e, start, model.embeddings[reference], by_reference)
    found["explanation"] = explained["explanation"].to_numpy()
    found["best_word_activation"] = by_reference.max(axis=0)
    found["utilisation_best_word"] = utilisation(found["best_word_activation"], found["activation"])
    found["share_of_ceiling"] = utilisation(found["activation"], found["ceiling"])
    found["restart_cosine"] = _restart_cosine(objectives, e)
    return found if items is None else with_items(found, items, model, reference, by_reference)


def with_items(
    found: pd.DataFrame,
    items: pd.DataFrame,
    model: Model,
    reference: np.ndarray,
    by_reference: np.ndarray,
) -> pd.DataFrame:
    """Add what a search found, and how well its top items' mean explains the objective.

    Args:
        found: a row per objective.
        items: as many rows: `text`, `token`, `text_place`, and `top_ids`, the ids of the top items.
        model: the model with its words.
        reference: ids of the words over which explanation is measured, (C,).
        by_reference: of each objective by each of these words, (C, n).

    Returns:
        `found` with `text`, `token`, `text_place`; `explanation_top`: Pearson's correlation, over the
        words that are not among the top items, of the cosine to the items' mean and of the activation;
        and `top_items`, their words in one string.
    """
    top, e = items["top_ids"], model.embeddings
    means = np.stack([e[ids].mean(axis=0) for ids in top])
    used = [np.isin(reference, ids) for ids in top]
    names = model.words["word"].to_numpy()
    added = items.drop(columns="top_ids").assign(
        explanation_top=held_out_explanation(means, e[reference], by_reference, used),
        top_items=[" ".join(names[ids]) for ids in top],
    )
    return found.assign(**{column: added[column].to_numpy() for column in added})


def _among_words(optima: OptimaArrays, model: Model, length: int, place: int) -> pd.DataFrame:
    """Describe the ascents, and compare optima with words at the position read and at the others."""
    at, e, candidates = place - 1, model.embeddings, model.candidates
    shape = (len(optima), length, e.shape[1])
    found, start = optima.embedding.reshape(shape), optima.start.reshape(shape)
    facts, own = optima.objectives, found[:, at]
    target = facts["target"].to_numpy()
    among = among_words(own, start[:, at], e, model.words, target)
    nearest = [
        nearest_words(found[:, i], e, candidates)
        if i != at
        else (among["nearest"].to_numpy(), among["nearest_cosine"].to_numpy())
        for i in range(length)
    ]
    names = model.words["word"].to_numpy()
    others = [of for i, of in enumerate(nearest) if i != at]
    cosines = [cosine for _, cosine in others]
    return facts.assign(
        activation=optima.activation,
        ceiling=optima.ceiling,
        start_activation=optima.curve[0],
        gain_at_the_end=late_change(optima.steps, optima.curve, 0.1) / np.abs(optima.curve[-1]),
        norm=np.linalg.norm(own, axis=1) / np.linalg.norm(e[candidates], axis=1).mean(),
        turned=(unit(own) * unit(start[:, at])).sum(axis=1),
        nearest_word=among["nearest_word"],
        nearest_cosine=among["nearest_cosine"],
        start_nearest_cosine=among["start_nearest_cosine"],
        nearest_everywhere=[
            " ".join(names[[ids[row] for ids, _ in nearest]]) for row in range(len(facts))
        ],
        embedding=list(optima.embedding.astype(np.float32)),
        nearest_cosine_elsewhere=np.mean(cosines, axis=0) if others else np.nan,
        target_cosine=among["target_cosine"].astype(float),
        target_rank=among["target_rank"].astype(float),
        margin=among["margin"].astype(float),
        recovered=among["recovered"].astype(float),
        recovered_elsewhere=_recovered(target, [ids for ids, _ in others]),
    )


def _recovered(target: np.ndarray, nearest: list[np.ndarray]) -> np.ndarray:
    """Tell where the target is nearest at some position, as 0 or 1; NaN without target or position."""
    found = np.full(len(target), np.nan)
    has = target >= 0
    if nearest:
        found[has] = np.any([ids[has] == target[has] for ids in nearest], axis=0)
    return found


def _own_word_activation(objectives: pd.DataFrame, model: Model) -> np.ndarray:
    """Return each objective's activation by its word between the fixed tokens, (n,); NaN without one."""
    targets = objectives["target"].to_numpy()
    found, has = np.full(len(targets), np.nan), np.flatnonzero(targets >= 0)
    if len(has):
        transformer = model.transformer()
        means = mean_of(objectives["neurons"].iloc[has].tolist(), transformer)
        inputs = transformer.word_embeddings[torch.as_tensor(targets[has])]
        found[has] = means.at(transformer, inputs).cpu().numpy()
    return found


def _restart_cosine(objectives: pd.DataFrame, e: np.ndarray) -> np.ndarray:
    """Return each optimum's mean cosine to the objective's optima from other starts, (n,).

    NaN for an objective with one start.
    """
    found = np.full(len(objectives), np.nan)
    keys = [name for name in FACTS if name != "restart"]
    for rows in objectives.groupby(keys, sort=False).indices.values():
        if len(rows) > 1:
            found[rows] = cosine_to_others(e[rows])
    return found
