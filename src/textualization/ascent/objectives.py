"""Objectives of ascent: weighted sums of activations, such as the mean over a group of neurons."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F

from textualization.models.transformer import FrozenTransformer, Tap


@dataclass(frozen=True)
class Objectives:
    """n weighted sums of activations.

    Args:
        neurons: by tap, indices (k,) of the neurons with a weight in any objective.
        weights: by tap, the weights (n, k), of either sign. Those of a mean sum to 1 over all taps.
    """

    neurons: dict[Tap, torch.Tensor]
    weights: dict[Tap, torch.Tensor]

    def __len__(self) -> int:
        return len(next(iter(self.weights.values())))

    def value(self, activations: dict[Tap, torch.Tensor]) -> torch.Tensor:
        """Return the objectives, (n,), given activations by tap, (n, k).

        Those of a tap may be of the first objectives alone, if the others have no weight at it.
        """
        total = 0
        for tap, w in self.weights.items():
            found = activations[tap]
            sums = (found * w[: len(found)]).sum(dim=1)
            total = total + F.pad(sums, (0, len(self) - len(found)))
        return total

    def at(self, model: FrozenTransformer, inputs: torch.Tensor) -> torch.Tensor:
        """Return the objectives at inputs (n, H), one each, without gradients: (n,)."""
        with torch.inference_mode():
            return self._value(model, inputs)

    def value_and_gradient(self, model: FrozenTransformer, inputs: torch.Tensor):
        """Return the objectives at inputs (n, H), and their gradients: (n,) and (n, H)."""
        inputs = inputs.detach().requires_grad_()
        value = self._value(model, inputs)
        (gradient,) = torch.autograd.grad(value.sum(), inputs)
        return value.detach(), gradient

    def _value(self, model: FrozenTransformer, inputs: torch.Tensor) -> torch.Tensor:
        return self.value(model.activations(inputs, self.neurons, self._reaching))

    @cached_property
    def _reaching(self) -> dict[int, int]:
        """Count by layer the objectives, from the first, among which all are that go as far.

        Nothing is computed in layers beyond an objective's deepest, if the deepest ones come first.
        """
        depth = self.depth()
        ends = torch.arange(1, len(self) + 1, device=depth.device)
        layers = range(1, int(depth.max()) + 1)
        return {layer: int((ends * (depth >= layer)).max()) for layer in layers}

    def depth(self) -> torch.Tensor:
        """Return the deepest layer of each objective, (n,)."""
        layers = [tap.layer * (w != 0).any(dim=1) for tap, w in self.weights.items()]
        return torch.stack(layers).amax(dim=0)

    def rows(self, rows: torch.Tensor) -> "Objectives":
        """Select objectives, without neurons that have no weight in any of them."""
        neurons, weights = {}, {}
        for tap, w in self.weights.items():
            w = w[rows]
            used = (w != 0).any(dim=0).nonzero()[:, 0]
            if len(used):
                neurons[tap], weights[tap] = self.neurons[tap][used], w[:, used]
        return Objectives(neurons, weights)

    def signed(self, signs: torch.Tensor) -> "Objectives":
        """Multiply the objectives by signs ±1, (n,)."""
        return Objectives(
            self.neurons, {tap: w * signs[:, None].to(w) for tap, w in self.weights.items()}
        )

    def floor(self, model: FrozenTransformer) -> torch.Tensor:
        """Compute lower bounds over all inputs, (n,), float64; NaN where there is none."""
        return -self.signed(-torch.ones(len(self))).ceiling(model)

    def ceiling(self, model: FrozenTransformer) -> torch.Tensor:
        """Compute upper bounds over all inputs, (n,), float64; NaN where there is none."""
        total = torch.zeros(len(self), dtype=torch.float64)
        for tap, w in self.weights.items():
            whole = w.new_zeros(len(self), model.units(tap))
            whole[:, self.neurons[tap]] = w
            # What no norm bounds is no part of an objective without a weight in it.
            has = (w != 0).any(dim=1).cpu()
            total += torch.where(has, model.ceiling(tap, whole), 0)
        return total


def weighted_sums(rows, model: FrozenTransformer) -> Objectives:
    """Build objectives, a weighted sum of activations each.

    Args:
        rows: per objective, a list of neurons (site, layer, index), whose mean is meant, or a dict of
            weights, which are used as they are. Its keys are neurons, or taps (site, layer) with a
            vector of weights, (width,).
        model: the model.

    Raises:
        ValueError: an objective is empty, or a neuron or tap does not exist in the model.
    """
    weights: dict[Tap, torch.Tensor] = {}
    for row, objective in enumerate(rows):
        if not len(objective):
            raise ValueError(f"group {row} has no neurons")
        for (site, layer, *index), weight in _weights_of(objective):
            width = model.units((site, layer))
            exists = 1 <= layer <= model.layers and all(0 <= i < width for i in index)
            if not exists or (not index and len(weight) != width):
                raise ValueError(
                    f"{'/'.join(map(str, (site, layer, *index)))} is not a neuron of this model "
                    f"(layers 1 to {model.layers}, index 0 to {width - 1})"
                )
            tap = Tap(site, int(layer))
            if tap not in weights:
                weights[tap] = torch.zeros(len(rows), width, dtype=model.dtype)
            weights[tap][(row, *index)] += torch.as_tensor(weight, dtype=model.dtype)
    everything = Objectives(
        {tap: torch.arange(w.shape[1], device=model.device) for tap, w in weights.items()},
        {tap: w.to(model.device) for tap, w in sorted(weights.items())},
    )
    return everything.rows(torch.arange(len(rows), device=model.device))


def mean_of(groups, model: FrozenTransformer) -> Objectives:
    """Build objectives, the mean activation of each group of neurons (see `weighted_sums`)."""
    return weighted_sums(groups, model)


def _weights_of(objective):
    """Return pairs of a neuron or tap and its weight."""
    if isinstance(objective, Mapping):
        return objective.items()
    return [(neuron, 1.0 / len(objective)) for neuron in objective]
