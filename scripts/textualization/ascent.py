"""Gradient ascent on activations: the input that a neuron, or a group of neurons, wants to read.

Three things, each on its own: the parametrisation and the moves (`solvers`), the objective
(`Objectives`), and the loop (`ascend`), which knows neither.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from textualization.bert import FrozenBert, Tap
from textualization.solvers import Paper, Solver, Sphere, split


@dataclass(frozen=True)
class AscentSettings:
    """How to climb; the defaults are the paper's protocol (sec. 3).

    solver: `paper` (plain ascent in vocabulary space, no regulariser) or `sphere` (momentum on the
    sphere: fewer steps to the same activation, and no part of the paper).
    steps: gradient steps. rate: η of `paper`; the paper prints 1001, perhaps for 100.
    angle, momentum, power: of `sphere`; see `solvers.Sphere`.
    recorded: about how many points of the ascent's curve are kept, evenly spaced in log steps.
    """

    solver: str = "paper"
    steps: int = 5000
    rate: float = 1001.0
    angle: float = 1.0
    momentum: float = 0.95
    power: float = 0.25
    recorded: int = 40


@dataclass(frozen=True)
class Objectives:
    """What to excite: row i is the mean activation of a group of neurons (one neuron: a group of 1).

    weights: per Tap the (n, width) weights of its neurons; each row sums to 1 over all taps.
    """

    weights: dict[Tap, torch.Tensor]

    def __len__(self) -> int:
        return len(next(iter(self.weights.values())))

    def value(self, activations: dict[Tap, torch.Tensor]) -> torch.Tensor:
        """The objectives' activations, (n,)."""
        return sum((activations[tap] * w).sum(dim=1) for tap, w in self.weights.items())

    def ceiling(self, model: FrozenBert) -> torch.Tensor:
        """Upper bounds that no input can pass, (n,), float64."""
        return sum(model.ceiling(tap, w) for tap, w in self.weights.items())


def mean_of(groups, model: FrozenBert) -> Objectives:
    """Objectives from groups of neurons. groups: lists of (site, layer, index).

    Raises ValueError for an empty group or a neuron that the model does not have.
    """
    weights: dict[Tap, torch.Tensor] = {}
    for row, group in enumerate(groups):
        if not len(group):
            raise ValueError(f"group {row} holds no neuron")
        for site, layer, index in group:
            if not (1 <= layer <= model.layers and 0 <= index < model.width(site)):
                raise ValueError(
                    f"{site}/{layer}/{index} is no neuron of this model (layers 1 to "
                    f"{model.layers}, index 0 to {model.width(site) - 1})"
                )
            tap = Tap(site, int(layer))
            if tap not in weights:
                weights[tap] = torch.zeros(len(groups), model.width(site), dtype=model.dtype)
            weights[tap][row, index] += 1.0 / len(group)
    return Objectives({tap: w.to(model.device) for tap, w in sorted(weights.items())})


@dataclass(frozen=True)
class Optima:
    """What ascent found, one row per objective.

    embedding: (n, H), the input e after the last step. activation: (n,), what it excites.
    coefficients: (n, H) and start_share: (n,), c and a of the vocabulary vector x = a·x₀ + E·c.
    finite: (n,), False where a value or gradient stopped being finite; such a row keeps its last
    good state. steps: (r,) and curve: (r, n), the activation at the recorded steps.
    """

    embedding: torch.Tensor
    activation: torch.Tensor
    coefficients: torch.Tensor
    start_share: torch.Tensor
    finite: torch.Tensor
    steps: np.ndarray
    curve: torch.Tensor


def ascend(
    model: FrozenBert,
    objectives: Objectives,
    start: torch.Tensor,
    settings: AscentSettings,
    progress: Callable[[int, float], None] | None = None,
) -> Optima:
    """Climb from `start`.

    start: (n, H), e₀ = x₀E. progress: called with (step, mean activation) now and then.
    """
    solver = _solver(settings, gram_matrix(model.word_embeddings))
    state = solver.begin(start.to(device=model.device, dtype=model.dtype))
    finite = torch.ones(len(start), dtype=torch.bool, device=model.device)
    recorded = recorded_steps(settings.steps, settings.recorded)
    curve = []
    for step in range(settings.steps):
        value, gradient = _value_and_gradient(model, objectives, solver.look(state))
        finite = finite & value.isfinite() & gradient.isfinite().all(dim=1)
        if step == recorded[len(curve)]:
            curve.append(value)
            if progress:
                progress(step, float(value.nanmean()))
        moved = solver.move(state, gradient, step / settings.steps)
        state = {k: torch.where(finite[:, None], moved[k], state[k]) for k in state}
    embedding, coefficients, start_share = split(solver.point(state))
    with torch.no_grad():
        value = objectives.value(model.activations(embedding, objectives.weights))
    curve.append(value)
    if progress:
        progress(settings.steps, float(value.nanmean()))
    return Optima(embedding, value, coefficients, start_share, finite, recorded, torch.stack(curve))


def _solver(settings: AscentSettings, gram: torch.Tensor) -> Solver:
    if settings.solver == "paper":
        return Paper(gram, settings.rate)
    if settings.solver == "sphere":
        return Sphere(gram, settings.angle, settings.momentum, settings.power)
    raise ValueError(f"unknown solver {settings.solver!r} (known: paper, sphere)")


def gram_matrix(word_embeddings: torch.Tensor) -> torch.Tensor:
    """EᵀE, (H, H), summed in float64."""
    e = word_embeddings.double()
    return (e.T @ e).to(word_embeddings.dtype)


def recorded_steps(steps: int, count: int) -> np.ndarray:
    """0, `steps`, about `count` whole steps evenly spaced on a log scale, and every tenth part.

    The tenths show whether an ascent had come to rest, which a log scale is too coarse for.
    """
    if steps == 0:
        return np.array([0])
    points = np.r_[0, np.geomspace(1, steps, count), np.linspace(0, steps, 11)]
    return np.unique(np.round(points).astype(int))


def _value_and_gradient(model, objectives, e):
    e = e.detach().requires_grad_()
    value = objectives.value(model.activations(e, objectives.weights))
    (gradient,) = torch.autograd.grad(value.sum(), e)
    return value.detach(), gradient
