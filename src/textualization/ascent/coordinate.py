"""Discrete ascent: texts of a few tokens, improved by one substitution at a time.

The activation's gradient proposes the words of one position (HotFlip, Ebrahimi et al. 2018; GCG, Zou
et al. 2023); the best of them, by exact evaluation, is taken if it is better than what stands there.
The positions take turns, until none has a better one. EPO (Thompson et al. 2024) adds a penalty of
unlikely text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch

from textualization.ascent.objectives import Objectives
from textualization.models.language_head import LanguageHead
from textualization.models.token_activations import TokenPass

#: Tokens per forward pass.
BATCH = 2048


@dataclass(frozen=True)
class Coordinate:
    """Settings of a discrete ascent.

    Args:
        steps: number of guided substitutions that are tried, at most.
        candidates: words that a guided substitution evaluates.
        sweeps: number of positions at which, in the end, every word of the pool is evaluated. If that
            finds a better text, guided substitutions go on from there.
    """

    steps: int = 40
    candidates: int = 128
    sweeps: int = 1


class Scores(NamedTuple):
    """Of n texts: score (n,), activation (n,), and the place that is read (n,), from 0."""

    score: torch.Tensor
    activation: torch.Tensor
    place: torch.Tensor


class Ended(NamedTuple):
    """The end of an ascent.

    ids: the text, (t,). scores: its own. taken: guided substitutions tried. evaluated: texts
    evaluated. swept: positions at which no other word of the pool is better.
    """

    ids: torch.Tensor
    scores: Scores
    taken: int
    evaluated: int
    swept: int


class TextScore:
    """The score of a text: an objective's activation, and how likely the text is.

    Args:
        reading: the model's pass over texts.
        objective: one objective, to be maximised.
        place: the token that is read, from 0; None: the best one.
        head: the model's language head, or None.
        fluency: weight of the mean log-probability of tokens, in activation per nat.
    """

    def __init__(
        self,
        reading: TokenPass,
        objective: Objectives,
        place: int | None = None,
        head: LanguageHead | None = None,
        fluency: float = 0.0,
    ):
        self.reading, self.objective, self.place = reading, objective, place
        self.head, self.fluency = head, fluency

    def __call__(self, ids: torch.Tensor) -> Scores:
        """Score texts (n, t)."""
        size = max(1, BATCH // (ids.shape[1] + 2))
        with torch.inference_mode():
            parts = [self._of(part, self.reading.embeddings(part)) for part in ids.split(size)]
        return Scores(*(torch.cat(part) for part in zip(*parts, strict=True)))

    def rises(self, ids: torch.Tensor, position: int, pool: torch.Tensor) -> list[torch.Tensor]:
        """Predict to first order how every word of a pool at a position raises the score.

        The prediction holds near the point where the gradient is taken. So there are two: with the
        text's own word at the position, and with the mean word there.

        Args:
            ids: the text, (t,).
            position: the position, from 0.
            pool: ids of the words, (C,).

        Returns:
            Two predictions, (C,), each up to a constant.
        """
        words = self.reading.embeddings(pool)
        inputs = self.reading.embeddings(ids).repeat(2, 1, 1)
        inputs[1, position] = words.mean(dim=0)
        inputs.requires_grad_()
        score = self._of(ids.repeat(2, 1), inputs).score
        (gradient,) = torch.autograd.grad(score.sum(), inputs)
        likely = 0.0
        if self.head is not None:
            likely = self.fluency * self.head.share_of(ids, position, pool)
        return [words @ slope + likely for slope in gradient[:, position]]

    def _of(self, ids, inputs) -> Scores:
        """Score texts, given their embeddings too, (n, t, E)."""
        found = self.reading.values(self.objective, inputs)[..., 0]
        if self.place is None:
            activation, place = found.max(dim=1)
        else:
            activation = found[:, self.place]
            place = torch.full_like(ids[:, 0], self.place)
        score = activation
        if self.head is not None:
            score = activation + self.fluency * self.head.mean(ids, inputs)
        return Scores(score, activation, place)


def ascend_text_from(
    score: TextScore,
    start: torch.Tensor,
    pool: torch.Tensor,
    settings: Coordinate,
    readable: Callable[[list[int]], bool],
) -> Ended:
    """Ascend from one text.

    Args:
        score: what is maximised.
        start: the text, (t,).
        pool: ids of the words that may stand at any position, (C,).
        settings: the settings.
        readable: tells whether a text may be taken.
    """
    text, now, tokens = start, score(start[None]), len(start)
    taken = idle = evaluated = 0
    swept, sweeps = set(), settings.sweeps
    while True:
        if idle < tokens and taken < settings.steps and len(swept) < tokens:
            position, exact = taken % tokens, False
            words = _proposed(score.rises(text, position, pool), pool, settings.candidates)
            taken += 1
        elif sweeps and len(swept) < tokens:
            order = [int(now.place[0]), *range(tokens)]
            position, exact = next(p for p in order if p not in swept), True
            words, sweeps = pool, sweeps - 1
        else:
            break
        words = words[words != text[position]]
        better = _better(score, text, now, position, words, readable)
        evaluated += len(words)
        idle += 1
        if better is not None:
            (text, now), idle, swept = better, 0, set()
        if exact:
            swept.add(position)
    return Ended(text, now, taken, evaluated, len(swept))


def _proposed(rises: list[torch.Tensor], pool: torch.Tensor, count: int) -> torch.Tensor:
    """Choose the words with the highest predictions, as many of each, in order of the pool."""
    chosen = torch.zeros(len(pool), dtype=torch.bool, device=pool.device)
    for place, rise in enumerate(rises):
        left = count - int(chosen.sum()) if place + 1 == len(rises) else count // len(rises)
        rise = rise.masked_fill(chosen, -torch.inf)
        chosen[rise.argsort(descending=True, stable=True)[:left]] = True
    return pool[chosen]


def _better(score, text, now, position, words, readable):
    """Return the best readable text with one of the words at a position, if it is better, or None."""
    if not len(words):
        return None
    texts = text.repeat(len(words), 1)
    texts[:, position] = words
    found = score(texts)
    # A difference that rounding explains is none.
    least = now.score[0] + 16 * torch.finfo(now.score.dtype).eps * now.score[0].abs()
    for row in found.score.argsort(descending=True, stable=True):
        if found.score[row] <= least:
            return None
        if readable(texts[row].tolist()):
            return texts[row], score(texts[row][None])
    return None
