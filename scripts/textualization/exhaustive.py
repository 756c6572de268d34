"""The word end of every search: of all words, the one that excites an objective most."""

import torch

from textualization.objectives import Objectives
from textualization.transformer import FrozenTransformer


def best_words(
    model: FrozenTransformer, objectives: Objectives, candidates: torch.Tensor, chunk: int = 512
) -> tuple[torch.Tensor, torch.Tensor]:
    """Try every candidate word as x. candidates: ids, (C,). chunk: words per forward pass.

    Returns the best word's id and its activation for each objective, (n,) and (n,).
    """
    best = torch.full((len(objectives),), -torch.inf, dtype=model.dtype, device=model.device)
    word = torch.zeros(len(objectives), dtype=torch.long, device=model.device)
    with torch.inference_mode(), model.multiplying():
        for ids in candidates.to(model.device).split(chunk):
            found = model.activations(model.word_embeddings[ids], objectives.neurons)
            value = sum(found[tap] @ weights.T for tap, weights in objectives.weights.items())
            highest, place = value.max(dim=0)
            word = torch.where(highest > best, ids[place], word)
            best = torch.maximum(highest, best)
    return word, best
