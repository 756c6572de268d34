"""What is free while ascent climbs, and what is taken off for straying: parametrisations, penalties.

The paper frees the vocabulary vector x and takes nothing off (sec. 3). Whether another parametrisation
or a penalty brings optima nearer to words is its open question 2. Everything here is differentiable, and
is measured by the words: no strength and no rate depends on how long a model's embeddings are.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Words:
    """The words by which inputs are measured. embeddings: E, (V, H). candidates: ids, (C,)."""

    embeddings: torch.Tensor
    candidates: torch.Tensor

    @cached_property
    def vectors(self) -> torch.Tensor:
        """The candidates' embeddings, (C, H)."""
        return self.embeddings[self.candidates]

    @cached_property
    def directions(self) -> torch.Tensor:
        """The candidates' embeddings at length 1, (C, H)."""
        return F.normalize(self.vectors, dim=1)

    @cached_property
    def length(self) -> float:
        """The mean length of a candidate's embedding."""
        return float(self.vectors.norm(dim=1).mean())

    @cached_property
    def inverse_gram(self) -> torch.Tensor:
        """(EᵀE)⁺, (H, H)."""
        e = self.embeddings.double()
        return torch.linalg.pinv(e.T @ e, hermitian=True).to(self.embeddings.dtype)

    @cached_property
    def precision(self) -> torch.Tensor:
        """The inverse of the candidates' covariance, (H, H)."""
        covariance = torch.cov(self.vectors.double().T)
        return torch.linalg.pinv(covariance, hermitian=True).to(self.embeddings.dtype)

    @cached_property
    def mean(self) -> torch.Tensor:
        return self.vectors.mean(dim=0)

    def shortest(self, inputs: torch.Tensor) -> torch.Tensor:
        """The shortest vocabulary vectors x with xE = e, (n, V). inputs: (n, H), the e's."""
        return inputs @ self.inverse_gram @ self.embeddings.T

    def squared_x(self, inputs: torch.Tensor) -> torch.Tensor:
        """‖x‖² of these, eᵀ(EᵀE)⁺e, (n,)."""
        return ((inputs @ self.inverse_gram) * inputs).sum(dim=1)

    @cached_property
    def mean_squared_x(self) -> float:
        """The same of a word, on average over the candidates."""
        return float(self.squared_x(self.vectors).mean())

    def nearest(self, inputs: torch.Tensor) -> torch.Tensor:
        """The candidate closest to each input by cosine, as its place among them, (n,)."""
        return (inputs @ self.directions.T).argmax(dim=1)


class Point(NamedTuple):
    """Where an ascent stands. embedding: e, (n, H). shares: of every word in a mixture, (n, V)."""

    embedding: torch.Tensor
    shares: torch.Tensor | None = None


class Parametrisation(NamedTuple):
    """begin: the free variables at a start e₀; point: where they stand, at a temperature (n, 1).

    mixture: whether e is a weighted mean of words. scale: the size of a free entry that moves as far as
    one of the others does, by which the rate is multiplied.
    """

    begin: Callable
    point: Callable
    mixture: bool = False
    scale: Callable = lambda words: 1.0


def _at_words_length(start, words):
    return words.length * F.normalize(start, dim=1)


def _as_shares(free, words, temperature):
    shares = torch.softmax(free / temperature, dim=1)
    return Point(shares @ words.embeddings, shares)


def _standardised(start, words):
    x = words.shortest(start)
    return x / x.std(dim=1, keepdim=True)


#: All start in the direction of e₀, a mixture with the shortest x that gives it as logits.
#: vocabulary: x itself, e = xE. embedding: e. sphere: e at the length of a mean word.
#: softmax, gumbel_softmax: e = softmax(z / τ) E, the latter with noise on z (Jang et al. 2017).
PARAMETRISATIONS = {
    "vocabulary": Parametrisation(
        begin=lambda start, words: words.shortest(_at_words_length(start, words)),
        point=lambda free, words, temperature: Point(free @ words.embeddings),
        # So that a step of all entries moves e about as far as one of e's own does.
        scale=lambda words: math.sqrt(words.embeddings.shape[1]) / len(words.embeddings),
    ),
    "embedding": Parametrisation(
        begin=_at_words_length,
        point=lambda free, words, temperature: Point(free),
        scale=lambda words: words.length / math.sqrt(words.embeddings.shape[1]),
    ),
    "sphere": Parametrisation(
        begin=_at_words_length,
        point=lambda free, words, temperature: Point(_at_words_length(free, words)),
        scale=lambda words: words.length / math.sqrt(words.embeddings.shape[1]),
    ),
    "softmax": Parametrisation(_standardised, _as_shares, mixture=True),
    "gumbel_softmax": Parametrisation(_standardised, _as_shares, mixture=True),
}


def _mahalanobis(point, words):
    centred = point.embedding - words.mean
    return ((centred @ words.precision) * centred).sum(dim=1) / centred.shape[1]


#: What is taken off the activation at strength 1, (n,). l2_e, l2_x: ‖e‖², and ‖x‖² of the shortest x
#: that gives e, in those of a word. mahalanobis: the squared distance from the candidates' mean under
#: their covariance, per dimension (1 for a word on average). nearest_word: 1 − the cosine to the closest
#: candidate. entropy: of a mixture's shares, 1 if all are equal.
PENALTIES = {
    "l2_e": lambda point, words: (point.embedding / words.length).square().sum(dim=1),
    "l2_x": lambda point, words: words.squared_x(point.embedding) / words.mean_squared_x,
    "nearest_word": lambda point, words: (
        1 - (F.normalize(point.embedding, dim=1) @ words.directions.T).amax(dim=1)
    ),
    "entropy": lambda point, words: (
        torch.special.entr(point.shares).sum(dim=1) / math.log(point.shares.shape[1])
    ),
    "mahalanobis": _mahalanobis,
}


#: What Adam keeps of past gradients and of their squares; what keeps it from dividing by 0.
_FADING, _LEAST = (0.9, 0.999), 1e-12


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2015) on any parametrisation, less any penalty. Not the paper's.

    words: see `Words`. steps: of a whole ascent, over which the rate falls to 0 along half a cosine, and
    the temperature of a mixture geometrically. rate: of entries that are measured by the words, see
    `Parametrisation`. strength: of the penalty. project_every: after so many steps, and at the end, e
    becomes its nearest word (0: never).
    """

    words: Words
    steps: int
    rate: float = 0.05
    parametrisation: str = "embedding"
    penalty: str = "none"
    strength: float = 0.0
    project_every: int = 0
    temperature_from: float = 1.0
    temperature_to: float = 0.05
    keeps_best = False

    @property
    def working(self) -> int:
        """Numbers per objective that pass through a move, beside the state."""
        wide = 6 * (self.parametrisation in ("vocabulary", "softmax", "gumbel_softmax"))
        wide += 2 * (self.penalty == "nearest_word" or self.project_every > 0)
        return wide * len(self.words.embeddings)

    def begin(self, start):
        free = self._kind.begin(start, self.words)
        return {
            "free": free,
            "first": torch.zeros_like(free),
            "second": torch.zeros_like(free),
            "taken": torch.zeros(len(start), dtype=torch.long, device=start.device),
            "key": _keys(start),
        }

    def look(self, state):
        return self._point(state, state["free"]).embedding

    def move(self, state, value, gradient, done):
        with torch.enable_grad():
            free = state["free"].detach().requires_grad_()
            point = self._point(state, free)
            climbed = (point.embedding * gradient).sum()
            if self.penalty != "none":
                climbed = climbed - self.strength * PENALTIES[self.penalty](point, self.words).sum()
            (uphill,) = torch.autograd.grad(climbed, free)
        taken = state["taken"] + 1
        first = _FADING[0] * state["first"] + (1 - _FADING[0]) * uphill
        second = _FADING[1] * state["second"] + (1 - _FADING[1]) * uphill.square()
        mean, square = (
            moment / (1 - fading ** taken[:, None].to(uphill.dtype))
            for moment, fading in zip((first, second), _FADING, strict=True)
        )
        rate = self.rate * self._kind.scale(self.words) * (1 + torch.cos(math.pi * done)) / 2
        free = state["free"] + rate[:, None] * mean / (square.sqrt() + _LEAST)
        if self.project_every:
            due = (taken % self.project_every == 0) | (taken == self.steps)
            words = self.words.vectors[self.words.nearest(free)]
            free = torch.where(due[:, None], words, free)
        return state | {"free": free, "first": first, "second": second, "taken": taken}

    @property
    def _kind(self) -> Parametrisation:
        return PARAMETRISATIONS[self.parametrisation]

    def _point(self, state, free) -> Point:
        share = (state["taken"] / self.steps)[:, None].to(free.dtype)
        temperature = self.temperature_from * (self.temperature_to / self.temperature_from) ** share
        if self.parametrisation == "gumbel_softmax":
            free = free + _noise(state, free, self.steps)
        return self._kind.point(free, self.words, temperature)


@dataclass(frozen=True)
class FrankWolfe:
    """Frank and Wolfe's method on the convex hull of the candidate words' embeddings. Not the paper's.

    Every step goes a share 2 / (t + 2) of the way to the word along which the activation, less the
    penalty (of e alone), rises fastest: after t steps e is a mixture of at most t words, and the first
    one leaves the start altogether. words, penalty, strength: as of `Adam`.
    """

    words: Words
    penalty: str = "none"
    strength: float = 0.0

    @property
    def keeps_best(self) -> bool:
        return self.penalty == "none"

    @property
    def working(self) -> int:
        return 3 * len(self.words.embeddings)

    def begin(self, start):
        taken = torch.zeros(len(start), dtype=torch.long, device=start.device)
        return {"point": _at_words_length(start, self.words), "taken": taken}

    def look(self, state):
        return state["point"]

    def move(self, state, value, gradient, done):
        point = state["point"]
        if self.penalty != "none":
            with torch.enable_grad():
                free = point.detach().requires_grad_()
                off = self.strength * PENALTIES[self.penalty](Point(free), self.words).sum()
                gradient = gradient - torch.autograd.grad(off, free)[0]
        best = self.words.vectors[(gradient @ self.words.vectors.T).argmax(dim=1)]
        share = (2 / (state["taken"] + 2.0)).to(point.dtype)[:, None]
        return {"point": point + share * (best - point), "taken": state["taken"] + 1}


def _keys(start: torch.Tensor) -> torch.Tensor:
    """A whole number for every start, the same in any batch: its rounded direction. (n,)"""
    leading = (1e4 * F.normalize(start.double(), dim=1)[:, :8]).round().long()
    places = 20011 ** torch.arange(leading.shape[1], device=start.device) % (2**40)
    return (leading * places).sum(dim=1)


def _noise(state, free: torch.Tensor, steps: int) -> torch.Tensor:
    """Gumbel noise of every objective's own (n, V); none at the last point, which is the result."""
    rows = []
    for key, taken in zip(state["key"].tolist(), state["taken"].tolist(), strict=True):
        dice = torch.Generator().manual_seed((key * 1_000_003 + taken) % 2**63)
        drawn = torch.rand(free.shape[1], generator=dice, dtype=torch.float64)
        gumbel = -torch.log(-torch.log(drawn.clamp(1e-12, 1 - 1e-12)))
        rows.append(gumbel * (taken < steps))
    return torch.stack(rows).to(free)
