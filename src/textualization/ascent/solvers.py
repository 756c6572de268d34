"""Solvers: the paper's gradient ascent, and two solvers on the sphere that need fewer steps.

A solver receives the value and the gradient at a point and returns the next point. Its state is a
dict of tensors with one row per objective, so that objectives can be added, removed and saved. Rows
are independent of each other. With several free positions, a row has them one after the other: the
sphere is that of the whole row, and (EᵀE)^power preconditions each position.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch

from textualization import registry
from textualization.ascent import parametrisations

State = dict[str, torch.Tensor]


class Solver(Protocol):
    """A solver: proposes points, and moves by the values and gradients at them."""

    #: Whether an ascent ends at its best point instead of its last one.
    keeps_best: bool

    def begin(self, start: torch.Tensor) -> State:
        """Return the state at a start e₀ = x₀E, (n, H)."""

    def look(self, state: State) -> torch.Tensor:
        """Return the inputs to evaluate next, (n, H)."""

    def move(self, state: State, value, gradient, done) -> State:
        """Return the next state.

        Args:
            state: the current state.
            value: the objectives at the inputs of `look`, (n,).
            gradient: their gradients, (n, H).
            done: share of all steps that each objective has taken, (n,).
        """


@dataclass(frozen=True)
class Paper:
    """Plain gradient ascent in vocabulary space (paper, sec. 3): x ← x + η E∇.

    In embedding space, this is exactly e ← e + η (EᵀE)∇, separately at each free position.

    Args:
        gram: EᵀE, (H, H).
        rate: η.
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
    """Nesterov momentum on the sphere ‖e‖ = ‖e₀‖, since LayerNorm makes the length of e irrelevant.

    The gradient is preconditioned, projected to the tangent space and scaled to unit length.

    Args:
        gram: EᵀE, (H, H).
        angle: size of the first step, in radians; it falls to 0 along a half cosine.
        momentum: weight of the previous velocity.
        power: exponent of the preconditioner (EᵀE)^power.
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
        # Points are on the unit sphere; look() restores their length.
        return {
            "point": start / length,
            "velocity": torch.zeros_like(start),
            "length": length,
        }

    def look(self, state: State) -> torch.Tensor:
        return state["length"] * self._ahead(state)

    def move(self, state: State, value, gradient, done) -> State:
        ahead = self._ahead(state)
        direction = _tangent(_at_each_position(gradient, self._preconditioner), ahead)
        angle = self.angle * 0.5 * (1 + torch.cos(math.pi * done))[:, None]
        velocity = self.momentum * state["velocity"]
        velocity = velocity + (1 - self.momentum) * angle * _unit(direction)
        point = _unit(state["point"] + velocity)
        return {"point": point, "velocity": _tangent(velocity, point), "length": state["length"]}

    def _ahead(self, state: State) -> torch.Tensor:
        return _unit(state["point"] + self.momentum * state["velocity"])


@dataclass(frozen=True)
class Lbfgs:
    """Limited-memory BFGS on the sphere ‖e‖ = ‖e₀‖ with a trust angle that bounds every step.

    The inverse Hessian follows Byrd, Nocedal and Schnabel (Representations of quasi-Newton
    matrices, 1994, eq. 3.1). Steps that lower the activation are rejected.

    Args:
        gram: EᵀE, (H, H).
        angle: the initial trust angle, and its maximum, in radians.
        memory: number of past moves in the inverse Hessian.
        power: exponent of the initial inverse Hessian P = (EᵀE)^power, scaled.
    """

    gram: torch.Tensor
    angle: float = 1.0
    memory: int = 30
    power: float = 1.0
    keeps_best = True

    #: Share by which rounding may lower the activation of an accepted step.
    _SLACK = 1e-7
    #: Factors on the trust angle. It grows if a step of about that angle gains at least the share
    #: _PREDICTED of the rise that the gradient predicts.
    _GROW, _SHRINK, _PREDICTED = 1.5, 0.4, 0.25
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
            # No point is accepted yet, so the first trial always is.
            "point": torch.zeros_like(start),
            "value": -math.inf * one,
            "gradient": torch.zeros_like(start),
            "trust": self.angle * one,
            # Ring buffers: moves s; Py, with y the changes of the negative gradient; s·y; y·Py.
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
        # Without negative curvature along a move, its pair would make the Hessian indefinite.
        fall = (move * change).sum(dim=1)
        curved = fall > 1e-10 * move.norm(dim=1) * change.norm(dim=1)
        state = self._store_pairs(state, move, change, curved & ~first)

        accepted = value > state["value"] - self._SLACK * state["value"].abs()
        predicted = (step * state["gradient"]).sum(dim=1)
        as_predicted = value - state["value"] > self._PREDICTED * predicted
        grows = as_predicted & (angle > 0.9 * state["trust"]) & ~first
        trust = torch.where(grows, self._GROW * state["trust"], state["trust"])
        trust = torch.where(accepted, trust, self._SHRINK * state["trust"])
        trust = trust.clamp(self._LEAST_ANGLE, self.angle)

        moved = accepted[:, None]
        point = torch.where(moved, trial, point)
        uphill = torch.where(moved, uphill, state["gradient"])
        value = torch.where(accepted, value, state["value"])
        direction = _tangent(self._inverse_hessian(state, uphill), point)
        # Stale pairs can give a direction that does not ascend; the gradient then replaces it.
        ascends = (direction * uphill).sum(dim=1) > 0
        direction = torch.where(ascends[:, None], direction, uphill)
        length = direction.norm(dim=1).clamp_min(torch.finfo(direction.dtype).tiny)
        # Without pairs, or without negative curvature, the trust angle alone sets the step.
        newton = ascends & (state["pairs"] > 0) & (curved | ~accepted)
        share = trust / length
        share = torch.where(newton, share.clamp_max(1), share)
        return state | {
            "trial": _unit(point + share[:, None] * direction),
            "point": point,
            "value": value,
            "gradient": uphill,
            "trust": trust,
        }

    def _store_pairs(self, state: State, move, change, stored) -> State:
        """Store the pairs of some rows, (n,), bool, in their ring buffers."""
        rows = stored.nonzero()[:, 0]
        slots = state["pairs"][rows] % self.memory
        state["moves"][rows, slots] = move[rows]
        state["changes"][rows, slots] = _at_each_position(change[rows], self._preconditioner)
        # Products of all rows, since to select rows of the buffers would copy them.
        state["products"][rows, :, slots] = _multiply_each(state["moves"], change)[rows]
        curvatures = _multiply_each(state["changes"], change)[rows]
        state["curvatures"][rows, :, slots] = state["curvatures"][rows, slots] = curvatures
        return state | {"pairs": state["pairs"] + stored}

    def _inverse_hessian(self, state: State, vector: torch.Tensor) -> torch.Tensor:
        """Multiply the inverse Hessian of the negative activation by a vector, (n, H)."""
        moves, changes, pairs = state["moves"], state["changes"], state["pairs"]
        # Slots of the ring buffer, oldest first; empty slots hold zeros and come first.
        order = (torch.arange(self.memory, device=pairs.device) + pairs[:, None]) % self.memory
        products, curvatures = (
            state[name].take_along_dim(order[:, :, None], 1).take_along_dim(order[:, None], 2)
            for name in ("products", "curvatures")
        )
        falls = products.diagonal(dim1=1, dim2=2)
        r = products.triu() + torch.diag_embed((falls == 0).to(falls.dtype))
        known = pairs > 0
        scale = torch.where(known, falls[:, -1] / curvatures[:, -1, -1], 1)[:, None]
        along = _multiply_each(moves, vector).take_along_dim(order, 1)
        across = _multiply_each(changes, vector).take_along_dim(order, 1)
        a = torch.linalg.solve_triangular(r, along[..., None], upper=True)[..., 0]
        b = falls * a + scale * (_multiply_each(curvatures, a) - across)
        b = torch.linalg.solve_triangular(r.mT, b[..., None], upper=False)[..., 0]
        a, b = (torch.zeros_like(t).scatter(1, order, t)[:, None] for t in (a, b))
        vector = _at_each_position(vector, self._preconditioner)
        return scale * (vector - (a @ changes)[:, 0]) + (b @ moves)[:, 0]


_CLASSES = globals() | vars(parametrisations)
SOLVERS = {name: _CLASSES[entry.name_of_class] for name, entry in registry.SOLVERS.items()}


def matrix_power(gram: torch.Tensor, power: float) -> torch.Tensor:
    """Compute (EᵀE)^power, scaled to a largest eigenvalue of 1, from EᵀE, (H, H)."""
    values, vectors = torch.linalg.eigh(gram.double())
    values = (values / values.max()).clamp_min(torch.finfo(torch.float64).eps)
    return ((vectors * values**power) @ vectors.T).to(gram.dtype)


def _unit(points: torch.Tensor) -> torch.Tensor:
    """Scale points to unit length."""
    length = points.norm(dim=1, keepdim=True)
    return points / length.clamp_min(torch.finfo(points.dtype).tiny)


def _tangent(moves: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Project moves to the tangent space at points of unit length."""
    return moves - (moves * points).sum(dim=1, keepdim=True) * points


def _at_each_position(vectors: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """Multiply every position's part of vectors, (n, length · H), by a matrix, (H, H)."""
    return (vectors.reshape(-1, len(matrix)) @ matrix).reshape(vectors.shape)


def _multiply_each(matrices: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """Multiply matrices (n, k, H) by vectors (n, H), row by row: (n, k)."""
    return (matrices @ vectors[..., None])[..., 0]
