"""How ascent moves: the paper's protocol, and two solvers on the sphere that waste fewer steps.

A solver is told the value and the gradient where it looked, and says where to look next. Its state is a
dict of tensors with one row per objective, so that rows can be taken out, put in and kept on disk
while others climb on. No row ever sees another.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch

from textualization.parametrisations import Adam, FrankWolfe

State = dict[str, torch.Tensor]


class Solver(Protocol):
    """Where to look, and where to go from what was seen there."""

    #: Whether an ascent ends at the best point seen, or at the last one.
    keeps_best: bool

    def begin(self, start: torch.Tensor) -> State:
        """The state at the start. start: (n, H), e₀ = x₀E."""

    def look(self, state: State) -> torch.Tensor:
        """The inputs at which value and gradient are wanted, (n, H)."""

    def move(self, state: State, value, gradient, done) -> State:
        """The next state.

        value: (n,) and gradient: (n, H), seen at `look`. done: (n,), the share of its steps that each
        objective has taken.
        """


@dataclass(frozen=True)
class Paper:
    """Plain gradient ascent in vocabulary space (paper, sec. 3): x ← x + η E∇.

    Multiplied by E this is e ← e + η (EᵀE)∇ exactly, at every free position by itself.
    gram: EᵀE, (H, H). rate: η.
    """

    gram: torch.Tensor
    rate: float = 1001.0
    keeps_best = False

    def begin(self, start: torch.Tensor) -> State:
        return {"point": start}

    def look(self, state: State) -> torch.Tensor:
        return state["point"]

    def move(self, state: State, value, gradient, done) -> State:
        width = len(self.gram)
        point, gradient = (t.reshape(-1, width) for t in (state["point"], gradient))
        moved = torch.addmm(point, gradient, self.gram, alpha=self.rate)
        return {"point": moved.reshape(state["point"].shape)}


@dataclass(frozen=True)
class Sphere:
    """Nesterov's momentum on the sphere ‖e‖ = ‖e₀‖ (after its LayerNorm, length means nothing).

    The gradient is preconditioned by (EᵀE)^power, made tangent and scaled to unit length, so that a
    step is an angle, which falls from `angle` (radians) to 0 along half a cosine.
    """

    gram: torch.Tensor
    angle: float = 1.0
    momentum: float = 0.95
    power: float = 0.25
    keeps_best = True

    def __post_init__(self):
        object.__setattr__(self, "_preconditioner", matrix_power(self.gram, self.power))

    def begin(self, start: torch.Tensor) -> State:
        length = start.norm(dim=1, keepdim=True)
        # On the sphere of radius 1 while climbing; look() puts the length back.
        return {
            "point": start / length,
            "velocity": torch.zeros_like(start),
            "length": length,
        }

    def look(self, state: State) -> torch.Tensor:
        return state["length"] * self._ahead(state)

    def move(self, state: State, value, gradient, done) -> State:
        ahead = self._ahead(state)
        direction = _tangent(gradient @ self._preconditioner, ahead)
        angle = self.angle * 0.5 * (1 + torch.cos(math.pi * done))[:, None]
        velocity = self.momentum * state["velocity"]
        velocity = velocity + (1 - self.momentum) * angle * _unit(direction)
        point = _unit(state["point"] + velocity)
        return {"point": point, "velocity": _tangent(velocity, point), "length": state["length"]}

    def _ahead(self, state: State) -> torch.Tensor:
        return _unit(state["point"] + self.momentum * state["velocity"])


@dataclass(frozen=True)
class Lbfgs:
    """Limited-memory BFGS on the sphere ‖e‖ = ‖e₀‖, every step held within an angle of trust.

    The inverse Hessian is that of Byrd, Nocedal and Schnabel (Representations of quasi-Newton
    matrices, 1994, eq. 3.1) over the last `memory` moves, with P = (EᵀE)^power, scaled, as the first
    guess; points, moves and gradients are vectors of the surrounding space. A step that lowers the
    activation is taken back. The angle of trust (radians) begins at `angle`, which is also its most.
    """

    gram: torch.Tensor
    angle: float = 1.0
    memory: int = 30
    power: float = 0.5
    keeps_best = True

    #: A step may lower the activation by this share: rounding.
    _SLACK = 1e-7
    #: The angle of trust grows or shrinks by these; it grows if a step to its edge gained at least
    #: this share of what the gradient promised.
    _GROW, _SHRINK, _PROMISED = 1.5, 0.4, 0.25
    _LEAST_ANGLE = 1e-6

    def __post_init__(self):
        object.__setattr__(self, "_preconditioner", matrix_power(self.gram, self.power))

    def begin(self, start: torch.Tensor) -> State:
        n, hidden = start.shape
        length = start.norm(dim=1, keepdim=True)
        one = start.new_ones(n)
        past = start.new_zeros(n, self.memory, hidden)
        return {
            "trial": start / length,
            "length": length,
            # Where it stands: nowhere yet, so that the first trial is always taken.
            "point": torch.zeros_like(start),
            "value": -math.inf * one,
            "gradient": torch.zeros_like(start),
            "trust": self.angle * one,
            # Moves s and, of the changes y of the downhill gradient, Py, in a ring; s·y and y·Py.
            "moves": past,
            "changes": past.clone(),
            "products": start.new_zeros(n, self.memory, self.memory),
            "curvatures": start.new_zeros(n, self.memory, self.memory),
            "pairs": torch.zeros(n, dtype=torch.long, device=start.device),
        }

    def look(self, state: State) -> torch.Tensor:
        return state["length"] * state["trial"]

    def move(self, state: State, value, gradient, done) -> State:
        trial, point = state["trial"], state["point"]
        uphill = _tangent(state["length"] * gradient, trial)
        first = state["value"].isinf()
        step = trial - point
        angle = step.norm(dim=1)
        move, change = _tangent(step, trial), state["gradient"] - uphill
        # A move along which the gradient grew tells of no maximum: its pair would spoil the Hessian.
        fall = (move * change).sum(dim=1)
        curved = fall > 1e-10 * move.norm(dim=1) * change.norm(dim=1)
        state = self._remember(state, move, change, curved & ~first)

        taken = value > state["value"] - self._SLACK * state["value"].abs()
        promised = (step * state["gradient"]).sum(dim=1)
        kept_word = value - state["value"] > self._PROMISED * promised
        grows = kept_word & (angle > 0.9 * state["trust"]) & ~first
        trust = torch.where(grows, self._GROW * state["trust"], state["trust"])
        trust = torch.where(taken, trust, self._SHRINK * state["trust"])
        trust = trust.clamp(self._LEAST_ANGLE, self.angle)

        at = taken[:, None]
        point, uphill = torch.where(at, trial, point), torch.where(at, uphill, state["gradient"])
        value = torch.where(taken, value, state["value"])
        direction = _tangent(self._inverse_hessian(state, uphill), point)
        # A direction that does not climb, from a memory gone bad, gives way to the gradient.
        climbs = (direction * uphill).sum(dim=1) > 0
        direction = torch.where(climbs[:, None], direction, uphill)
        length = direction.norm(dim=1).clamp_min(torch.finfo(direction.dtype).tiny)
        # Without any memory, or where the slope still steepens, only trust says how far to go.
        knows = climbs & (state["pairs"] > 0) & (curved | ~taken)
        share = trust / length
        share = torch.where(knows, share.clamp_max(1), share)
        return state | {
            "trial": _unit(point + share[:, None] * direction),
            "point": point,
            "value": value,
            "gradient": uphill,
            "trust": trust,
        }

    def _remember(self, state: State, move, change, wanted) -> State:
        """Keep pairs in their rows' rings. wanted: (n,)."""
        rows = wanted.nonzero()[:, 0]
        slots, change = state["pairs"][rows] % self.memory, change[rows]
        state["moves"][rows, slots] = move[rows]
        state["changes"][rows, slots] = change @ self._preconditioner
        state["products"][rows, :, slots] = _each(state["moves"][rows], change)
        curvatures = _each(state["changes"][rows], change)
        state["curvatures"][rows, :, slots] = state["curvatures"][rows, slots] = curvatures
        return state | {"pairs": state["pairs"] + wanted}

    def _inverse_hessian(self, state: State, vector: torch.Tensor) -> torch.Tensor:
        """The inverse Hessian (of the activation's negative) times a vector, (n, H)."""
        moves, changes, pairs = state["moves"], state["changes"], state["pairs"]
        # The ring's slots, oldest first; empty ones hold zeros and come before.
        order = (torch.arange(self.memory, device=pairs.device) + pairs[:, None]) % self.memory
        products, curvatures = (
            state[name].take_along_dim(order[:, :, None], 1).take_along_dim(order[:, None], 2)
            for name in ("products", "curvatures")
        )
        falls = products.diagonal(dim1=1, dim2=2)
        r = products.triu() + torch.diag_embed((falls == 0).to(falls.dtype))
        known = pairs > 0
        scale = torch.where(known, falls[:, -1] / curvatures[:, -1, -1], 1)[:, None]
        along = _each(moves, vector).take_along_dim(order, 1)
        across = _each(changes, vector).take_along_dim(order, 1)
        a = torch.linalg.solve_triangular(r, along[..., None], upper=True)[..., 0]
        b = falls * a + scale * (_each(curvatures, a) - across)
        b = torch.linalg.solve_triangular(r.mT, b[..., None], upper=False)[..., 0]
        a, b = (torch.zeros_like(t).scatter(1, order, t)[:, None] for t in (a, b))
        return scale * (vector @ self._preconditioner - (a @ changes)[:, 0]) + (b @ moves)[:, 0]


SOLVERS = {
    "paper": Paper,
    "sphere": Sphere,
    "lbfgs": Lbfgs,
    "adam": Adam,
    "frank_wolfe": FrankWolfe,
}


def matrix_power(gram: torch.Tensor, power: float) -> torch.Tensor:
    """(EᵀE)^power, scaled to a largest eigenvalue of 1. gram: (H, H)."""
    values, vectors = torch.linalg.eigh(gram.double())
    values = (values / values.max()).clamp_min(torch.finfo(torch.float64).eps)
    return ((vectors * values**power) @ vectors.T).to(gram.dtype)


def _unit(points: torch.Tensor) -> torch.Tensor:
    length = points.norm(dim=1, keepdim=True)
    return points / length.clamp_min(torch.finfo(points.dtype).tiny)


def _tangent(moves: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Moves without their part along the points (of unit length)."""
    return moves - (moves * points).sum(dim=1, keepdim=True) * points


def _each(matrices: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """A matrix times a vector, for each row. matrices: (n, k, H); vectors: (n, H). Returns (n, k)."""
    return (matrices @ vectors[..., None])[..., 0]
