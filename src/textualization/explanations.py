"""How well optima of a model at hand explain their neurons."""

import numpy as np
import pandas as pd
import torch

from textualization.analysis.explanation import explanation, plain_explanation
from textualization.ascent.exhaustive import by_words
from textualization.ascent.objectives import mean_of, weighted_sums
from textualization.directions import mean_word_gradient
from textualization.models.model import Model
from textualization.optima_arrays import OptimaArrays


def explanation_over(
    model: Model, words: np.ndarray, activations: np.ndarray, groups: list, optima: OptimaArrays
) -> pd.DataFrame:
    """Measure how well optima explain their groups of neurons over some words.

    Args:
        model: the model, or a null model.
        words: ids of the words.
        activations: of the groups by the words, (words, n).
        groups: lists of neurons (site, layer, index), one per optimum.
        optima: the optima, n.

    Returns:
        n rows, see `textualization.analysis.explanation.explanation`, and `gradient_explanation`: that
        of the gradient at the mean word (`textualization.directions`).
    """
    objectives, e = mean_of(groups, model.word_transformer()), model.embeddings[words]
    found = explanation(optima.embedding, optima.start, e, activations)
    gradient = plain_explanation(mean_word_gradient(model, objectives), e, activations)
    return found.assign(gradient_explanation=gradient)


def explanation_of(model: Model, requested, embeddings: np.ndarray) -> pd.DataFrame:
    """Measure how well inputs explain requested objectives over all candidate words.

    Args:
        model: the model.
        requested: n objectives, `textualization.requested.Requested`.
        embeddings: the inputs, (n, H).

    Returns:
        n rows: `objective`, and the columns of `textualization.analysis.explanation.explanation`, but
        for those of starts. A minimum is explained to the extent that closer words activate less.
    """
    transformer, words = model.transformer(), np.flatnonzero(model.candidates)
    objectives = weighted_sums([one.neurons for one in requested], transformer)
    activations = by_words(transformer, objectives, torch.tensor(words)).double().cpu().numpy()
    activations *= [one.sign for one in requested]
    found = explanation(embeddings, embeddings, model.embeddings[words], activations)
    found = found[[column for column in found if not column.startswith("start_")]]
    found.insert(0, "objective", [one.name for one in requested])
    return found
