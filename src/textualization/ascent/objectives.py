"""Objectives of ascent: the mean activation of a group of neurons, or of a single neuron."""

from dataclasses import dataclass

import torch

from textualization.models.transformer import FrozenTransformer, Tap


@dataclass(frozen=True)
class Objectives:
    """n weighted sums of activations.

    Args:
        neurons: by tap, indices (k,) of the neurons with a weight in any objective.
        weights: by tap, the weights (n, k). Over all taps, each objective's weights sum to 1.
    """

    neurons: dict[Tap, torch.Tensor]
    weights: dict[Tap, torch.Tensor]

    def __len__(self) -> int:
        return len(next(iter(self.weights.values())))

    def value(self, activations: dict[Tap, torch.Tensor]) -> torch.Tensor:
        """Return the objectives, (n,), given activations (n, k) by tap."""
        return sum((activations[tap] * w).sum(dim=1) for tap, w in self.weights.items())

    def at(self, model: FrozenTransformer, inputs: torch.Tensor) -> torch.Tensor:
        """Return the objectives at inputs (n, H), one each, without gradients: (n,)."""
        with torch.inference_mode():
            return self.value(model.activations(inputs, self.neurons))

    def value_and_gradient(self, model: FrozenTransformer, inputs: torch.Tensor):
        """Return the objectives at inputs (n, H), and their gradients: (n,) and (n, H)."""
        inputs = inputs.detach().requires_grad_()
        value = self.value(model.activations(inputs, self.neurons))
        (gradient,) = torch.autograd.grad(value.sum(), inputs)
        return value.detach(), gradient

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

    def ceiling(self, model: FrozenTransformer) -> torch.Tensor:
        """Compute upper bounds over all inputs, (n,), float64; NaN where there is none."""
        total = torch.zeros(len(self), dtype=torch.float64)
        for tap, w in self.weights.items():
            whole = w.new_zeros(len(self), model.width(tap.site))
            whole[:, self.neurons[tap]] = w
            # What no norm bounds is no part of an objective without a weight in it.
            has = (w != 0).any(dim=1).cpu()
            total += torch.where(has, model.ceiling(tap, whole), 0)
        return total


def mean_of(groups, model: FrozenTransformer) -> Objectives:
    """Build objectives, the mean activation of each group of neurons.

    Args:
        groups: lists of neurons (site, layer, index).
        model: the model.

    Raises:
        ValueError: a group is empty, or a neuron does not exist in the model.
    """
    weights: dict[Tap, torch.Tensor] = {}
    for row, group in enumerate(groups):
        if not len(group):
            raise ValueError(f"group {row} has no neurons")
        for site, layer, index in group:
            if not (1 <= layer <= model.layers and 0 <= index < model.width(site)):
                raise ValueError(
                    f"{site}/{layer}/{index} is not a neuron of this model (layers 1 to "
                    f"{model.layers}, index 0 to {model.width(site) - 1})"
                )
            tap = Tap(site, int(layer))
            if tap not in weights:
                weights[tap] = torch.zeros(len(groups), model.width(site), dtype=model.dtype)
            weights[tap][row, index] += 1.0 / len(group)
    everything = Objectives(
        {tap: torch.arange(w.shape[1], device=model.device) for tap, w in weights.items()},
        {tap: w.to(model.device) for tap, w in sorted(weights.items())},
    )
    return everything.rows(torch.arange(len(groups), device=model.device))
