"""What ascent climbs: the mean activation of a group of neurons; one neuron is a group of one."""

from dataclasses import dataclass

import torch

from textualization.transformer import FrozenTransformer, Tap


@dataclass(frozen=True)
class Objectives:
    """Row i is a weighted sum of activations, of which only those that some row needs are computed.

    neurons: per Tap the indices (k,) that some row weighs. weights: per Tap (n, k); each row sums to 1
    over all taps.
    """

    neurons: dict[Tap, torch.Tensor]
    weights: dict[Tap, torch.Tensor]

    def __len__(self) -> int:
        return len(next(iter(self.weights.values())))

    def value(self, activations: dict[Tap, torch.Tensor]) -> torch.Tensor:
        """The objectives' activations, (n,). activations: per Tap (n, k)."""
        return sum((activations[tap] * w).sum(dim=1) for tap, w in self.weights.items())

    def value_and_gradient(self, model: FrozenTransformer, inputs: torch.Tensor):
        """The objectives at inputs (n, H), and their gradients: (n,) and (n, H)."""
        inputs = inputs.detach().requires_grad_()
        with model.multiplying():
            value = self.value(model.activations(inputs, self.neurons))
            (gradient,) = torch.autograd.grad(value.sum(), inputs)
        return value.detach(), gradient

    def depth(self) -> torch.Tensor:
        """The deepest layer that each row weighs, (n,)."""
        layers = [tap.layer * (w != 0).any(dim=1) for tap, w in self.weights.items()]
        return torch.stack(layers).amax(dim=0)

    def rows(self, rows: torch.Tensor) -> "Objectives":
        """Some of the objectives, with no neuron that none of them weighs."""
        neurons, weights = {}, {}
        for tap, w in self.weights.items():
            w = w[rows]
            used = (w != 0).any(dim=0).nonzero()[:, 0]
            if len(used):
                neurons[tap], weights[tap] = self.neurons[tap][used], w[:, used]
        return Objectives(neurons, weights)

    def ceiling(self, model: FrozenTransformer) -> torch.Tensor:
        """Upper bounds that no input can pass, (n,), float64."""
        total = torch.zeros(len(self), dtype=torch.float64)
        for tap, w in self.weights.items():
            whole = w.new_zeros(len(self), model.width(tap.site))
            whole[:, self.neurons[tap]] = w
            total += model.ceiling(tap, whole)
        return total


def mean_of(groups, model: FrozenTransformer) -> Objectives:
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
    everything = Objectives(
        {tap: torch.arange(w.shape[1], device=model.device) for tap, w in weights.items()},
        {tap: w.to(model.device) for tap, w in sorted(weights.items())},
    )
    return everything.rows(torch.arange(len(groups), device=model.device))
