"""Parametrisations of the input and penalties on it, and the solvers that use them.

The paper ascends on the vocabulary vector x without a penalty (sec. 3). Whether other choices bring
optima closer to words is its open question 2. Scales are relative to the words' embeddings, so that
rates and strengths do not depend on the length of a model's embeddings.
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
    """Word embeddings E, (V, H), and the candidates among them, ids (C,)."""

    embeddings: torch.Tensor
    candidates: torch.Tensor

    @cached_property
    def vectors(self) -> torch.Tensor:
        """The candidates' embeddings, (C, H)."""
        return self.embeddings[self.candidates]

    @cached_property
    def directions(self) -> torch.Tensor:
        """The candidates' embeddings, normalised to length 1, (C, H)."""
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
        """The mean of the candidates' embeddings, (H,)."""
        return self.vectors.mean(dim=0)

    def shortest(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the shortest vocabulary vectors x with xE = e, (n, V), of inputs e, (n, H)."""
        return inputs @ self.inverse_gram @ self.embeddings.T

    def squared_x(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return ‖x‖² of the shortest x, eᵀ(EᵀE)⁺e, (n,)."""
        return ((inputs @ self.inverse_gram) * inputs).sum(dim=1)

    @cached_property
    def mean_squared_x(self) -> float:
        """The mean of `squared_x` over the candidates."""
        return float(self.squared_x(self.vectors).mean())

    def nearest(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return each input's closest candidate by cosine, as an index among them, (n,)."""
        return (inputs @ self.directions.T).argmax(dim=1)


class Point(NamedTuple):
    """Inputs e, (n, H), and the shares of all words in them if they are mixtures, (n, V)."""

    embedding: torch.Tensor
    shares: torch.Tensor | None = None


class Parametrisation(NamedTuple):
    """A parametrisation of e by free variables.

    Args:
        begin: function of the start e₀ and the words; returns the free variables.
        point: function of the free variables, the words and a temperature, (n, 1); returns `Point`.
        mixture: whether e is a weighted mean of words.
        scale: function of the words; returns the factor on the rate that makes steps of all
            parametrisations about equally large.
    """

    begin: Callable
    point: Callable
    mixture: bool = False
    scale: Callable = lambda words: 1.0


def _at_words_length(start, words):
    """Scale inputs to the mean length of a word's embedding."""
    return words.length * F.normalize(start, dim=1)


def _as_shares(free, words, temperature):
    """Return the mixture with the softmax of the free variables as shares."""
    shares = torch.softmax(free / temperature, dim=1)
    return Point(shares @ words.embeddings, shares)


def _standardised(start, words):
    """Return the shortest x of each start, with standard deviation 1."""
    x = words.shortest(start)
    return x / x.std(dim=1, keepdim=True)


#: Free variables. vocabulary: x, with e = xE. embedding: e. sphere: e, scaled to a word's mean
#: length. softmax: z, with e = softmax(z / τ) E. gumbel_softmax: the same, with noise on z (Jang et
#: al. 2017). All start in the direction of e₀; the start of z is e₀'s shortest x, standardised.
PARAMETRISATIONS = {
    "vocabulary": Parametrisation(
        begin=lambda start, words: words.shortest(_at_words_length(start, words)),
        point=lambda free, words, temperature: Point(free @ words.embeddings),
        # A step of all entries of x then moves e about as far as a step of e itself.
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
    """Return the squared Mahalanobis distance from the candidates, per dimension."""
    centred = point.embedding - words.mean
    return ((centred @ words.precision) * centred).sum(dim=1) / centred.shape[1]


def _entropy(shares):
    """Return the entropy of shares, (n,). Shares that underflow to 0 add nothing to its gradient."""
    # At 0, the slope of entr is infinite.
    return torch.special.entr(torch.where(shares > 0, shares, 1)).sum(dim=1)


#: Penalties, (n,), subtracted from the activation with a strength. l2_e: ‖e‖²; l2_x: ‖x‖² of the
#: shortest x of e; both relative to a word's. mahalanobis: squared distance from the candidates'
#: mean under their covariance, per dimension (mean 1 over words). nearest_word: 1 − the cosine to
#: the closest candidate. entropy: entropy of a mixture's shares, 1 if all are equal.
PENALTIES = {
    "l2_e": lambda point, words: (point.embedding / words.length).square().sum(dim=1),
    "l2_x": lambda point, words: words.squared_x(point.embedding) / words.mean_squared_x,
    "nearest_word": lambda point, words: (
        1 - (F.normalize(point.embedding, dim=1) @ words.directions.T).amax(dim=1)
    ),
    "entropy": lambda point, words: _entropy(point.shares) / math.log(point.shares.shape[1]),
    "mahalanobis": _mahalanobis,
}


#: Adam's decay rates of the first and second moment, and its ε.
_DECAY, _EPSILON = (0.9, 0.999), 1e-12


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2015) on any parametrisation, with any penalty. Not part of the paper.

    Args:
        words: the words.
        rate: initial learning rate, multiplied by the parametrisation's `scale`. It falls to 0 along
            a half cosine.
        parametrisation: a key of PARAMETRISATIONS.
        penalty: a key of PENALTIES, or `none`.
        strength: factor on the penalty.
        project_every: with `embedding` or `sphere`, steps between projections of e to its nearest
            word, one of them at the end; 0: none.
        temperature_from: initial temperature of a mixture. It falls geometrically.
        temperature_to: final temperature of a mixture.
    """

    words: Words
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
        """Number of temporary values per objective in a move, in addition to the state."""
        wide = 6 * (self.parametrisation in ("vocabulary", "softmax", "gumbel_softmax"))
        wide += 2 * (self.penalty == "nearest_word" or self.project_every > 0)
        return wide * len(self.words.embeddings)

    def begin(self, start, steps):
        free = self._kind.begin(start, self.words)
        return {
            "free": free,
            "first": torch.zeros_like(free),
            "second": torch.zeros_like(free),
            "taken": torch.zeros_like(steps),
            "steps": steps,
            "key": _keys(start),
        }

    def look(self, state):
        return self._point(state, state["free"]).embedding

    def move(self, state, value, gradient, done):
        with torch.enable_grad():
            free = state["free"].detach().requires_grad_()
            point = self._point(state, free)
            objective = (point.embedding * gradient).sum()
            if self.penalty != "none":
                penalty = PENALTIES[self.penalty](point, self.words).sum()
                objective = objective - self.strength * penalty
            (slope,) = torch.autograd.grad(objective, free)
        taken = state["taken"] + 1
        first = _DECAY[0] * state["first"] + (1 - _DECAY[0]) * slope
        second = _DECAY[1] * state["second"] + (1 - _DECAY[1]) * slope.square()
        mean, square = (
            moment / (1 - decay ** taken[:, None].to(slope.dtype))
            for moment, decay in zip((first, second), _DECAY, strict=True)
        )
        rate = self.rate * self._kind.scale(self.words) * (1 + torch.cos(math.pi * done)) / 2
        free = state["free"] + rate[:, None] * mean / (square.sqrt() + _EPSILON)
        if self.project_every:
            due = (taken % self.project_every == 0) | (taken == state["steps"])
            words = self.words.vectors[self.words.nearest(free)]
            free = torch.where(due[:, None], words, free)
        return state | {"free": free, "first": first, "second": second, "taken": taken}

    @property
    def _kind(self) -> Parametrisation:
        return PARAMETRISATIONS[self.parametrisation]

    def _point(self, state, free) -> Point:
        """Return the inputs of free variables, at the temperature of the step."""
        share = (state["taken"] / state["steps"])[:, None].to(free.dtype)
        temperature = self.temperature_from * (self.temperature_to / self.temperature_from) ** share
        if self.parametrisation == "gumbel_softmax":
            free = free + _noise(state, free)
        return self._kind.point(free, self.words, temperature)


@dataclass(frozen=True)
class FrankWolfe:
    """The Frank-Wolfe method on the convex hull of the candidates. Not part of the paper.

    Step t, from 0, moves e by 2 / (t + 2) of the way towards the word along which the penalised
    activation rises fastest. The first step therefore replaces the start by a word, and after t
    steps e is a mixture of at most t words. words, penalty and strength are as in `Adam`; the
    penalty cannot be `entropy`.
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

    def begin(self, start, steps):
        return {"point": _at_words_length(start, self.words), "taken": torch.zeros_like(steps)}

    def look(self, state):
        return state["point"]

    def move(self, state, value, gradient, done):
        point = state["point"]
        if self.penalty != "none":
            with torch.enable_grad():
                free = point.detach().requires_grad_()
                penalty = self.strength * PENALTIES[self.penalty](Point(free), self.words).sum()
                gradient = gradient - torch.autograd.grad(penalty, free)[0]
        best = self.words.vectors[(gradient @ self.words.vectors.T).argmax(dim=1)]
        share = (2 / (state["taken"] + 2.0)).to(point.dtype)[:, None]
        return {"point": point + share * (best - point), "taken": state["taken"] + 1}


def _keys(start: torch.Tensor) -> torch.Tensor:
    """Return an integer per start, (n,), from its rounded direction: independent of the batch."""
    leading = (1e4 * F.normalize(start.double(), dim=1)[:, :8]).round().long()
    places = 20011 ** torch.arange(leading.shape[1], device=start.device) % (2**40)
    return (leading * places).sum(dim=1)


def _noise(state, free: torch.Tensor) -> torch.Tensor:
    """Draw Gumbel noise for each objective, (n, V); zero at the last point, the result."""
    rows = []
    of_rows = (state[name].tolist() for name in ("key", "taken", "steps"))
    for key, taken, steps in zip(*of_rows, strict=True):
        generator = torch.Generator().manual_seed((key * 1_000_003 + taken) % 2**63)
        uniform = torch.rand(free.shape[1], generator=generator, dtype=torch.float64)
        gumbel = -torch.log(-torch.log(uniform.clamp(1e-12, 1 - 1e-12)))
        rows.append(gumbel * (taken < steps))
    return torch.stack(rows).to(free)
