"""Activations of objectives by words, and the best word of every objective."""

from collections.abc import Iterator
from typing import NamedTuple

import torch

from textualization.ascent.objectives import Objectives
from textualization.models.transformer import FrozenTransformer


class BestWords(NamedTuple):
    """The words that activate n objectives most, best first, (n, top) each."""

    id: torch.Tensor
    activation: torch.Tensor


def try_words(
    model: FrozenTransformer,
    objectives: Objectives,
    candidates: torch.Tensor,
    top: int = 1,
    chunk: int = 512,
) -> BestWords:
    """Evaluate objectives at the embedding of every candidate word.

    Args:
        model: the model.
        objectives: n objectives.
        candidates: ids of the words, (C,).
        top: number of words per objective; all if there are fewer. Of equal ones the earlier is better.
        chunk: words per forward pass.
    """
    best = torch.empty(len(objectives), 0, dtype=model.dtype, device=model.device)
    words = torch.empty(len(objectives), 0, dtype=torch.long, device=model.device)
    for ids, value in _in_chunks(model, objectives, candidates, chunk):
        found = torch.cat([best, value.T], dim=1)
        order = found.argsort(dim=1, descending=True, stable=True)[:, :top]
        words = torch.cat([words, ids.expand(len(found), -1)], dim=1).gather(1, order)
        best = found.gather(1, order)
    return BestWords(words, best)


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
