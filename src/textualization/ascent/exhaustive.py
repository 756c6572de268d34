"""Activations of objectives by words, and the best word of every objective."""

from collections.abc import Iterator
from typing import NamedTuple

import torch

from textualization.ascent.objectives import Objectives
from textualization.models.transformer import FrozenTransformer


class BestWords(NamedTuple):
    """The words that activate n objectives most, (n,) each."""

    id: torch.Tensor
    activation: torch.Tensor


def try_words(
    model: FrozenTransformer, objectives: Objectives, candidates: torch.Tensor, chunk: int = 512
) -> BestWords:
    """Evaluate objectives at the embedding of every candidate word.

    Args:
        model: the model.
        objectives: n objectives.
        candidates: ids of the words, (C,).
        chunk: words per forward pass.
    """
    best = torch.full((len(objectives),), -torch.inf, dtype=model.dtype, device=model.device)
    word = torch.zeros(len(objectives), dtype=torch.long, device=model.device)
    for ids, value in _in_chunks(model, objectives, candidates, chunk):
        highest, place = value.max(dim=0)
        word = torch.where(highest > best, ids[place], word)
        best = torch.maximum(highest, best)
    return BestWords(word, best)


def by_words(
    model: FrozenTransformer, objectives: Objectives, words: torch.Tensor, chunk: int = 512
) -> torch.Tensor:
    """Evaluate objectives at the embedding of every word, and keep all activations: (words, n).

    Args:
        model: the model.
        objectives: n objectives.
        words: ids of the words.
        chunk: words per forward pass.
    """
    return torch.cat([value for _, value in _in_chunks(model, objectives, words, chunk)])


def _in_chunks(model, objectives, words, chunk) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield ids of words, and the objectives' activations by them, (ids, n)."""
    with torch.inference_mode():
        for ids in words.to(model.device).split(chunk):
            found = model.activations(model.word_embeddings[ids], objectives.neurons)
            yield ids, sum(found[tap] @ weights.T for tap, weights in objectives.weights.items())
