"""How ascent moves: the paper's protocol, and a solver on the sphere that wastes no steps.

Every point is kept as one row [e | c | a] of length 2H + 1: the input e that the model reads, and the
coefficients of the vocabulary vector that it stands for, x = a·x₀ + E·c. Moves are linear, so both
move together and x can be had back at any time without ever being formed.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch

State = dict[str, torch.Tensor]


class Solver(Protocol):
    """Where to look, and where to go from what was seen there."""

    def begin(self, start: torch.Tensor) -> State:
        """The state at the start. start: (n, H), e₀ = x₀E."""

    def look(self, state: State) -> torch.Tensor:
        """The inputs at which the gradient is wanted, (n, H)."""

    def point(self, state: State) -> torch.Tensor:
        """Where the ascent stands: rows [e | c | a], (n, 2H + 1)."""

    def move(self, state: State, gradient: torch.Tensor, done: float) -> State:
        """The next state. gradient: (n, H). done: the share of the steps already taken."""


def split(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rows [e | c | a] as e (n, H), c (n, H) and a (n,)."""
    hidden = points.shape[1] // 2
    return points[:, :hidden], points[:, hidden:-1], points[:, -1]


def _points(e, c, a) -> torch.Tensor:
    return torch.cat([e, c, a[:, None]], dim=1)


@dataclass(frozen=True)
class Paper:
    """Plain gradient ascent in vocabulary space (paper, sec. 3): x ← x + η E∇.

    Multiplied by E this is e ← e + η (EᵀE)∇ exactly. gram: EᵀE, (H, H). rate: η.
    """

    gram: torch.Tensor
    rate: float

    def begin(self, start: torch.Tensor) -> State:
        return {"point": _points(start, torch.zeros_like(start), torch.ones_like(start[:, 0]))}

    def look(self, state: State) -> torch.Tensor:
        return split(state["point"])[0]

    def point(self, state: State) -> torch.Tensor:
        return state["point"]

    def move(self, state: State, gradient: torch.Tensor, done: float) -> State:
        step = self.rate * gradient
        return {
            "point": state["point"] + _points(step @ self.gram, step, step.new_zeros(len(step)))
        }


@dataclass(frozen=True)
class Sphere:
    """Nesterov's momentum on the sphere ‖e‖ = ‖e₀‖ (after its LayerNorm, length means nothing).

    The gradient is preconditioned by (EᵀE)^p, made tangent and scaled to unit length, so that a step
    is an angle, which falls from `angle` (radians) to 0 along half a cosine.
    """

    gram: torch.Tensor
    angle: float = 1.0
    momentum: float = 0.95
    power: float = 0.25

    def __post_init__(self):
        values, vectors = torch.linalg.eigh(self.gram.double())
        values = (values / values.max()).clamp_min(torch.finfo(torch.float64).eps)
        scaled = (vectors * values ** (self.power - 1)) @ vectors.T
        # In coefficients: (EᵀE)^(p-1), which EᵀE turns into the step of e.
        object.__setattr__(self, "_into_coefficients", scaled.to(self.gram.dtype))

    def begin(self, start: torch.Tensor) -> State:
        points = _points(start, torch.zeros_like(start), torch.ones_like(start[:, 0]))
        length = start.norm(dim=1, keepdim=True)
        # On the sphere of radius 1 while climbing; look() and point() put the length back.
        return {"point": points / length, "velocity": torch.zeros_like(points), "length": length}

    def look(self, state: State) -> torch.Tensor:
        return state["length"] * split(self._ahead(state))[0]

    def point(self, state: State) -> torch.Tensor:
        return state["length"] * state["point"]

    def move(self, state: State, gradient: torch.Tensor, done: float) -> State:
        ahead = self._ahead(state)
        c = gradient @ self._into_coefficients
        direction = _tangent(_points(c @ self.gram, c, c.new_zeros(len(c))), ahead)
        length = split(direction)[0].norm(dim=1, keepdim=True)
        direction = direction / length.clamp_min(torch.finfo(c.dtype).tiny)
        angle = self.angle * 0.5 * (1 + math.cos(math.pi * done))
        velocity = self.momentum * state["velocity"] + (1 - self.momentum) * angle * direction
        point = _unit(state["point"] + velocity)
        return {
            "point": point,
            "velocity": _tangent(velocity, point),
            "length": state["length"],
        }

    def _ahead(self, state: State) -> torch.Tensor:
        return _unit(state["point"] + self.momentum * state["velocity"])


def _unit(points: torch.Tensor) -> torch.Tensor:
    return points / split(points)[0].norm(dim=1, keepdim=True)


def _tangent(moves: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Moves without their part along the points (of unit length)."""
    along = (split(moves)[0] * split(points)[0]).sum(dim=1, keepdim=True)
    return moves - along * points
