"""Exact upper bounds of activations, from the geometry of LayerNorm and RMSNorm.

LayerNorm writes γ⊙n + β, where n has mean zero and length at most √H. RMSNorm writes the same, but
n may have any mean. The weights alone therefore bound every neuron, and every weighted sum of
neurons, over all inputs. A state that no norm has written is unbounded.
"""

import math

import numpy as np
import torch

from textualization.models.forward.blocks import Block, some
from textualization.models.forward.network import Network

#: Angles at which a gated neuron is evaluated; the best one is then refined.
GRID = 2001
#: Gated neurons per pass.
CHUNK = 256


def tap_ceiling(network: Network, tap: tuple[str, int], weights: torch.Tensor) -> torch.Tensor:
    """Compute upper bounds of Σ w·activation at a tap of a network.

    At `output`, Cauchy-Schwarz on the normalised state bounds the sum. At `intermediate`, the bound is
    the weighted sum of the single neurons' upper and lower bounds.

    Args:
        network: the network.
        tap: a site and a layer, from 1.
        weights: w, one sum per row, (n, width).

    Returns:
        (n,), float64; NaN where no norm writes the output.
    """
    site, layer = tap
    block = network.blocks[layer - 1]
    centred = network.architecture.normalisation == "layer"
    w = weights.double().cpu()
    if tap in network.bases:
        w = w @ network.bases[tap].double().cpu()
    if site == "output":
        norm = block.output_norm if block.post else network.final_norm
        if norm is None or (not block.post and layer < network.layers):
            return torch.full((len(w),), math.nan, dtype=torch.float64)
        return torch.from_numpy(linear_ceiling(w, *_arrays(norm.gain, norm.bias), centred))
    used = (w != 0).any(dim=0)
    lower, upper = (torch.from_numpy(bounds) for bounds in _bounds(block, used, centred))
    w = w[:, used]
    return w.clamp(min=0) @ upper + w.clamp(max=0) @ lower


def linear_ceiling(weights, gain, bias, centred: bool = True) -> np.ndarray:
    """Compute the maximum of Σ w·(γ⊙n + β) over all n of length √H.

    Args:
        weights: w, one linear read-out per row, (k, H).
        gain: the norm's γ, (H,).
        bias: the norm's β, (H,).
        centred: whether n has mean zero: True for LayerNorm, False for RMSNorm.

    Returns:
        (k,): √H·‖P(γ⊙w)‖ + w·β, where P subtracts the mean if centred.
    """
    weights, gain, bias = (np.asarray(a, dtype=np.float64) for a in (weights, gain, bias))
    scaled = _scaled(weights, gain, centred)
    return np.sqrt(weights.shape[1]) * np.linalg.norm(scaled, axis=1) + weights @ bias


def intermediate_ceiling(weight, offset, gain, bias, activation, centred=True) -> np.ndarray:
    """Compute the ceiling of every `intermediate` neuron of a block without gates.

    Args:
        weight: the feed-forward layer's weight, (I, H).
        offset: the feed-forward layer's bias, (I,).
        gain: γ of the norm before the feed-forward layer, (H,).
        bias: β of that norm, (H,).
        activation: the non-linearity: at most zero left of the origin, rising right of it (ReLU,
            GELU, SiLU).
        centred: see `linear_ceiling`.

    Returns:
        (I,): the non-linearity at the pre-activation's ceiling, or 0 if that is negative.
    """
    before = linear_ceiling(weight, gain, bias, centred) + np.asarray(offset, dtype=np.float64)
    return np.maximum(activation(before), 0.0)


def intermediate_floor(weight, offset, gain, bias, activation, centred=True) -> np.ndarray:
    """Compute the lowest activation of every `intermediate` neuron of a block without gates.

    Args:
        weight, offset, gain, bias, centred: see `intermediate_ceiling`.
        activation: the non-linearity: it falls left of its lowest point, which lies between -3 and 0
            (GELU, SiLU) or reaches to the left without end (ReLU), and rises right of it.

    Returns:
        (I,): the non-linearity at the reachable pre-activation that is nearest to its lowest point.
    """
    weight, offset = (np.asarray(a, dtype=np.float64) for a in (weight, offset))
    low = offset - linear_ceiling(-weight, gain, bias, centred)
    high = offset + linear_ceiling(weight, gain, bias, centred)
    # The grid finds the minimum within 1e-11.
    grid = np.linspace(-3, 0, 300_001)
    values = activation(grid)
    lowest = grid[values.argmin()]
    nearest = np.clip(lowest, low, high)
    return np.where(nearest == lowest, values.min(), activation(nearest))


def gated_ceiling(
    gate, gate_offset, weight, offset, gain, bias, activation, centred=True
) -> np.ndarray:
    """Compute the ceiling of every neuron f(gate)·value of a GLU (Shazeer 2020, arXiv 2002.05202).

    Gate and value are linear in the norm's n, so the pair lies in an ellipse. For a given gate, the
    best value lies on the ellipse's boundary. What remains is a maximum over one angle, found on a
    grid and refined by golden-section search.

    Args:
        gate: weight of the gate's linear map, (I, H).
        gate_offset: bias of the gate's linear map, (I,).
        weight: weight of the value's linear map, (I, H).
        offset: bias of the value's linear map, (I,).
        gain, bias, activation, centred: see `intermediate_ceiling`.

    Returns:
        The ceilings, (I,).
    """
    gate, weight, gain, bias = (np.asarray(a, dtype=np.float64) for a in (gate, weight, gain, bias))
    parts = [slice(first, first + CHUNK) for first in range(0, len(gate), CHUNK)]
    scale, found = np.sqrt(gate.shape[1]), np.empty(len(gate))
    for rows in parts:
        a, b = (_scaled(w[rows], gain, centred) for w in (gate, weight))
        gate_radius, radius = (scale * np.linalg.norm(w, axis=1) for w in (a, b))
        product = gate_radius * radius
        cosine = np.divide(
            scale**2 * (a * b).sum(axis=1), product, out=np.zeros_like(product), where=product > 0
        )
        cosine = np.clip(cosine, -1, 1)
        gate_centre = gate[rows] @ bias + gate_offset[rows]
        centre = weight[rows] @ bias + offset[rows]
        ellipses = (gate_centre, gate_radius, centre, radius, cosine)

        def highest(angle, ellipses=ellipses):
            """Return the highest activation at the gate gate_centre + gate_radius·sin(angle)."""
            gate_centre, gate_radius, centre, radius, cosine = ellipses
            sine = np.sin(angle)
            opening = activation(gate_centre + gate_radius * sine)
            boundary = radius * np.sqrt(1 - cosine**2) * np.abs(np.cos(angle))
            return opening * (centre + radius * cosine * sine) + np.abs(opening) * boundary

        grid = np.linspace(-np.pi / 2, np.pi / 2, GRID)
        best = grid[highest(grid[:, None]).argmax(axis=0)]
        step = grid[1] - grid[0]
        found[rows] = _golden_section(highest, best - step, best + step)
    return found


def _bounds(block: Block, used, centred: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return lower and upper bounds of single neurons inside a feed-forward layer, (k,) each."""
    norm = block.attention_norm if block.post else block.intermediate_norm

    def activation(a):
        return block.activation(torch.from_numpy(a)).numpy()

    rest = (*_arrays(norm.gain, norm.bias), activation, centred)
    weight, offset = _arrays(*some(block.intermediate, used))
    if block.gate is not None:
        gate = _arrays(*some(block.gate, used))
        upper = gated_ceiling(*gate, weight, offset, *rest)
        return -gated_ceiling(*gate, -weight, -offset, *rest), upper
    return intermediate_floor(weight, offset, *rest), intermediate_ceiling(weight, offset, *rest)


def _arrays(weight, bias) -> tuple[np.ndarray, np.ndarray]:
    """Return weight and bias as float64 arrays; a missing bias becomes zeros."""
    bias = weight.new_zeros(len(weight)) if bias is None else bias
    return weight.double().cpu().numpy(), bias.double().cpu().numpy()


def _scaled(weights, gain, centred):
    """Return γ⊙w, the read-out's weights on n, without their mean if n has mean zero."""
    scaled = weights * gain
    return scaled - scaled.mean(axis=1, keepdims=True) if centred else scaled


def _golden_section(function, low, high):
    """Maximise a function between low and high, (k,) each, by golden-section search."""
    ratio = (np.sqrt(5) - 1) / 2
    best = np.maximum(function((low + high) / 2), np.maximum(function(low), function(high)))
    for _ in range(60):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        at_left, at_right = function(left), function(right)
        best = np.maximum(best, np.maximum(at_left, at_right))
        low, high = (
            np.where(at_left < at_right, left, low),
            np.where(at_left < at_right, high, right),
        )
    return best
