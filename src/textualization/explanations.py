"""How well optima of a model at hand explain their neurons."""

import numpy as np
import pandas as pd
import torch

from textualization.analysis.explanation import explanation, plain_explanation
from textualization.ascent.exhaustive import by_words
from textualization.ascent.objectives import mean_of
from textualization.directions import gradients
from textualization.models.model import Model
from textualization.optima_arrays import OptimaArrays


def explanation_over(model: Model, words: np.ndarray, groups, optima: OptimaArrays) -> pd.DataFrame:
    """Measure how well optima explain their groups of neurons over some words.

    Args:
        model: the model, or a null model.
        words: ids of the words.
        groups: lists of neurons (site, layer, index), one per optimum.
        optima: the optima, n.

    Returns:
        n rows, see `textualization.analysis.explanation.explanation`, and `gradient_explanation`: that
        of the gradient at the mean word (`textualization.directions`).
    """
    transformer, groups = model.transformer(), list(groups)
    words = np.array(words)
    activations = by_words(transformer, mean_of(groups, transformer), torch.from_numpy(words))
    activations, e = activations.cpu().numpy(), model.embeddings[words]
    found = explanation(optima.embedding, optima.start, e, activations)
    gradient = plain_explanation(gradients(model, groups), e, activations)
    return found.assign(gradient_explanation=gradient)
