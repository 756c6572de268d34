"""Directions that may explain an objective, compared over words that did not choose them.

An optimum is one direction in input space. How much it explains means little alone: this module sets
beside it directions that know nothing of the objective, and directions that were told how words
activate it. The latter are fitted on one half of the words; all are judged on the other half.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import torch

from textualization.analysis.explanation import plain_explanation
from textualization.analysis.similarity import like_words, unit
from textualization.ascent.exhaustive import by_words
from textualization.ascent.objectives import Objectives, mean_of
from textualization.draws import generator
from textualization.models.model import Model

#: Number of most activating words whose mean is a direction.
TOP = 20
#: Penalties of the ridge regression, relative to the mean eigenvalue of the words' covariance.
PENALTIES = np.logspace(-4, 2, 13)
#: Number of objectives whose activations by all words are in memory at once.
_AT_ONCE = 512


def compare_directions(
    model: Model,
    groups: list,
    optima: np.ndarray,
    starts: np.ndarray,
    seed: int = 0,
    further: dict[str, np.ndarray] | None = None,
    activations_of: Callable[[list, np.ndarray], np.ndarray] | None = None,
) -> pd.DataFrame:
    """Measure how well optima and other directions explain their objectives, on held-out words.

    Each direction's score is Pearson's correlation over words of the word's cosine with the direction
    and the objective's activation by the word (`textualization.analysis.explanation`):

    - `optimum`, `start`: the optimum, and where its ascent started.
    - `other_optimum`: the optimum of the next objective.
    - `random_direction`; `embedding_covariance`: a random direction with the words' covariance.
    - `gradient`: the activation's gradient at the mean word embedding; takes one evaluation.
    - `best_word`, `top_words`: the most activating word of the first half, and the mean direction of
      its 20 most activating words.
    - `ridge`: ridge regression of the activation on the directions of the first half's words. The
      penalty minimises the generalised cross-validation score. The ceiling of linear explanations.

    Args:
        model: the model, with its words.
        groups: lists of neurons (site, layer, index), one per objective.
        optima, starts: e and e₀ of each objective, (n, H).
        seed: seed of the halves and of the random directions.
        further: more directions by name, (n, H) each; rows may be NaN.
        activations_of: function of some of the groups and C ids of words; returns the groups'
            activations by the words, (C, groups). Forward passes of the model if None.

    Returns:
        A row per objective, in order, and a column per direction: `DIRECTIONS`, then `further`.
    """
    dice = generator(seed, "halves of the words")
    ids = dice.permutation(np.flatnonzero(model.candidates))
    fitted, judged = np.array_split(ids, 2)
    transformer, e = model.word_transformer(), model.embeddings
    activations_of = activations_of or partial(activations_over, model)
    tables = []
    for first in range(0, len(groups), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        objectives = mean_of(groups[part], transformer)
        told, held_out = (activations_of(groups[part], half) for half in (fitted, judged))
        random = dice.standard_normal((len(groups[part]), e.shape[1]))
        directions = {
            "optimum": optima[part],
            "start": starts[part],
            "other_optimum": np.roll(optima, -1, axis=0)[part],
            "random_direction": random,
            "embedding_covariance": like_words(random, e[model.candidates]),
            "gradient": mean_word_gradient(model, objectives),
            "best_word": e[fitted[told.argmax(axis=0)]],
            "top_words": _top_words(e[fitted], told),
            "ridge": ridge(e[fitted], told),
        }
        directions |= {name: inputs[part] for name, inputs in (further or {}).items()}
        scores = {
            name: plain_explanation(inputs, e[judged], held_out)
            for name, inputs in directions.items()
        }
        tables.append(pd.DataFrame(scores))
    return pd.concat(tables, ignore_index=True)


def activations_over(model: Model, groups: list, words: np.ndarray) -> np.ndarray:
    """Compute the mean activations of groups of neurons by some words, (words, groups).

    Args:
        model: the model.
        groups: lists of neurons (site, layer, index).
        words: ids of the words.
    """
    transformer = model.word_transformer()
    found = by_words(transformer, mean_of(groups, transformer), torch.tensor(words))
    return found.double().cpu().numpy()


def mean_word_gradient(model: Model, objectives: Objectives) -> np.ndarray:
    """Compute each objective's gradient at the mean embedding of the candidate words, (n, H)."""
    transformer = model.word_transformer()
    mean = model.embeddings[model.candidates].mean(axis=0)
    inputs = torch.from_numpy(mean).to(transformer.dtype).repeat(len(objectives), 1)
    _, gradient = objectives.value_and_gradient(transformer, inputs.to(transformer.device))
    return gradient.double().cpu().numpy()


def _top_words(words: np.ndarray, activations: np.ndarray) -> np.ndarray:
    """Return the mean direction of the words that activate each objective most, (n, H)."""
    count = min(TOP, len(words))
    top = np.argpartition(-activations, count - 1, axis=0)[:count]
    return unit(words)[top].mean(axis=0)


def ridge(words: np.ndarray, activations: np.ndarray) -> np.ndarray:
    """Fit activations by a linear function of the words' directions, with an intercept.

    Args:
        words: embeddings of C words, (C, H).
        activations: of each objective by each word, (C, n).

    Returns:
        The coefficients, (n, H), with each objective's best penalty of PENALTIES by generalised
        cross-validation (Golub, Heath and Wahba, 1979).
    """
    x = unit(words).astype(np.float64)
    x, a = (values - values.mean(axis=0) for values in (x, np.asarray(activations, np.float64)))
    values, vectors = np.linalg.eigh(x.T @ x)
    values = values.clip(min=0)
    projected, total = vectors.T @ (x.T @ a), (a**2).sum(axis=0)
    scores = []
    for penalty in PENALTIES * values.mean():
        shrunk = values + penalty
        residual = total - (projected**2 * ((values + 2 * penalty) / shrunk**2)[:, None]).sum(
            axis=0
        )
        # The intercept takes one degree of freedom.
        free = len(x) - 1 - (values / shrunk).sum()
        scores.append(residual / free**2)
    best = PENALTIES[np.argmin(scores, axis=0)] * values.mean()
    return (vectors @ (projected / (values[:, None] + best))).T
