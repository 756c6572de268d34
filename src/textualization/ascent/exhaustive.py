"""Exhaustive search over words: the best word of every objective, and the average response."""

from typing import NamedTuple

import torch

from textualization.ascent.objectives import Objectives
from textualization.models.transformer import FrozenTransformer


class OverWords(NamedTuple):
    """Responses of n objectives to words, (n,) each."""

    best_word: torch.Tensor  # its id
    best_activation: torch.Tensor
    mean_magnitude: torch.Tensor  # mean absolute activation over words


def try_words(
    model: FrozenTransformer, objectives: Objectives, candidates: torch.Tensor, chunk: int = 512
) -> OverWords:
    """Evaluate objectives at the embedding of every candidate word.

    Args:
        model: the model.
        objectives: n objectives.
        candidates: ids of the words, (C,).
        chunk: words per forward pass.
    """
    best = torch.full((len(objectives),), -torch.inf, dtype=model.dtype, device=model.device)
    word = torch.zeros(len(objectives), dtype=torch.long, device=model.device)
    total = torch.zeros(len(objectives), dtype=torch.float64, device=model.device)
    with torch.inference_mode():
        for ids in candidates.to(model.device).split(chunk):
            found = model.activations(model.word_embeddings[ids], objectives.neurons)
            value = sum(found[tap] @ weights.T for tap, weights in objectives.weights.items())
            highest, place = value.max(dim=0)
            word = torch.where(highest > best, ids[place], word)
            best = torch.maximum(highest, best)
            total += value.abs().sum(dim=0, dtype=torch.float64)
    return OverWords(word, best, total / len(candidates))
