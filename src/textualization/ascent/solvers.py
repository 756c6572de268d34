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

    def begin(self, start: torch.Tensor, steps: torch.Tensor) -> State:
        """Return the state at the start.

        Args:
            start: e₀ = x₀E, (n, H).
            steps: the number of moves of each ascent, (n,).
        """

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

    def begin(self, start: torch.Tensor, steps: torch.Tensor) -> State:
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

    def begin(self, start: torch.Tensor, steps: torch.Tensor) -> State:
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

    def begin(self, start: torch.Tensor, steps: torch.Tensor) -> State:
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
            "preconditioned": torch.zeros_like(start),
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
        # P times the gradient, so that P times its change needs no other product.
        preconditioned = _at_each_position(uphill, self._preconditioner)
        first = state["value"].isinf()
        step = trial - point
        move, change = _tangent(step, trial), state["gradient"] - uphill
        changed = state["preconditioned"] - preconditioned  # P times the change
        # Without negative curvature along a move, its pair would make the Hessian indefinite.
        fall = (move * change).sum(dim=1)
        curved = fall > 1e-10 * move.norm(dim=1) * change.norm(dim=1)
        # y·Py is positive, but a difference of nearly equal gradients may round to less.
        stored = curved & ~first & ((change * changed).sum(dim=1) > 0)
        rows = stored.nonzero()[:, 0]
        slots = state["pairs"][rows] % self.memory
        state["moves"][rows, slots], state["changes"][rows, slots] = move[rows], changed[rows]

        accepted = value > state["value"] - self._SLACK * state["value"].abs()
        trust = self._new_trust(state, value, step, accepted, first)
        moved = accepted[:, None]
        point = torch.where(moved, trial, point)
        uphill = torch.where(moved, uphill, state["gradient"])
        preconditioned = torch.where(moved, preconditioned, state["preconditioned"])
        value = torch.where(accepted, value, state["value"])
        # Reading the buffers takes most of a move: each is multiplied by both vectors at once.
        both = torch.stack([change, uphill], dim=1).mT
        along, across = state["moves"] @ both, state["changes"] @ both
        state["products"][rows, :, slots] = along[rows, :, 0]
        curvatures = across[rows, :, 0]
        state["curvatures"][rows, :, slots] = state["curvatures"][rows, slots] = curvatures
        state = state | {"pairs": state["pairs"] + stored}
        direction = self._inverse_hessian(state, preconditioned, along[..., 1], across[..., 1])
        direction = _tangent(direction, point)
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
            "preconditioned": preconditioned,
            "trust": trust,
        }

    def _new_trust(self, state: State, value, step, accepted, first) -> torch.Tensor:
        """Return the trust angles, (n,), after a step that was accepted or not."""
        trust = state["trust"]
        predicted = (step * state["gradient"]).sum(dim=1)
        as_predicted = value - state["value"] > self._PREDICTED * predicted
        grows = as_predicted & (step.norm(dim=1) > 0.9 * trust) & ~first
        grown = torch.where(grows, self._GROW * trust, trust)
        return torch.where(accepted, grown, self._SHRINK * trust).clamp(
            self._LEAST_ANGLE, self.angle
        )

    def _inverse_hessian(self, state: State, preconditioned, along, across) -> torch.Tensor:
        """Multiply the inverse Hessian of the negative activation by a vector v, (n, H).

        Args:
            state: with the ring buffers.
            preconditioned: Pv, (n, H).
            along, across: the products of v with the moves, and with the changes, (n, memory).
        """
        pairs, diagonal = state["pairs"], {"dim1": 1, "dim2": 2}
        # Slots of the ring buffer, oldest first; empty slots hold zeros and come first.
        order = (torch.arange(self.memory, device=pairs.device) + pairs[:, None]) % self.memory
        newest = order[:, -1:]
        places = order[:, :, None] * self.memory + order[:, None]
        r = state["products"].flatten(1).gather(1, places.flatten(1)).view(places.shape)
        falls = r.diagonal(**diagonal).clone()
        # Of R, only the upper triangle is read. Empty slots get a diagonal of 1.
        r.diagonal(**diagonal).add_(falls == 0)
        curvature = state["curvatures"].diagonal(**diagonal).gather(1, newest)
        scale = torch.where(pairs[:, None] > 0, falls[:, -1:] / curvature, 1)
        a = torch.linalg.solve_triangular(r, along.gather(1, order)[..., None], upper=True)[..., 0]
        a_by_slot = torch.zeros_like(a).scatter(1, order, a)[:, None]
        rest = (a_by_slot @ state["curvatures"])[:, 0] - across
        b = falls * a + scale * rest.gather(1, order)
        b = torch.linalg.solve_triangular(r.mT, b[..., None], upper=False)[..., 0]
        b_by_slot = torch.zeros_like(b).scatter(1, order, b)[:, None]
        of_changes, of_moves = a_by_slot @ state["changes"], b_by_slot @ state["moves"]
        return scale * (preconditioned - of_changes[:, 0]) + of_moves[:, 0]


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
