"""Blocks of a transformer: their weights, and what attention and feed-forward layer make of states.

States are token-major, (tokens, n, H), so that the states of one token are contiguous.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F

from textualization.models.architecture import Architecture
from textualization.models.forward.attention import Heads, rotate

ACTIVATIONS = {
    "gelu": F.gelu,
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_pytorch_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
    "silu": F.silu,
}


class Norm(NamedTuple):
    """LayerNorm or RMSNorm: gain and bias (None if missing), ε, and whether it is RMSNorm."""

    gain: torch.Tensor
    bias: torch.Tensor | None
    epsilon: float
    rms: bool

    @classmethod
    def of(cls, tensors: dict, name: str, architecture: Architecture) -> "Norm | None":
        """Return a norm of converted tensors; None if the model does not have it."""
        pair = pair_of(tensors, name, "gain")
        rms = architecture.normalisation == "rms"
        return None if pair is None else cls(*pair, architecture.epsilon, rms)


def normed(x: torch.Tensor, norm: Norm | None) -> torch.Tensor:
    """Apply a norm, or none, to the last dimension."""
    if norm is None:
        return x
    if norm.rms:
        return F.rms_norm(x, (x.shape[-1],), norm.gain, norm.epsilon)
    return F.layer_norm(x, (x.shape[-1],), norm.gain, norm.bias, norm.epsilon)


class Block:
    """Weights of one block, as (weight, bias) pairs and norms, and what they compute.

    Args:
        tensors: weights, as returned by `textualization.models.conversion.convert`.
        number: the block's number, from 1.
        architecture: the model's architecture.

    Raises:
        ValueError: the non-linearity is unknown.
    """

    def __init__(self, tensors: dict, number: int, architecture: Architecture):
        if architecture.activation not in ACTIVATIONS:
            raise ValueError(
                f"activation {architecture.activation!r} is not known "
                f"(known: {', '.join(ACTIVATIONS)})"
            )
        self.activation = ACTIVATIONS[architecture.activation]
        heads = Heads.of(architecture)
        #: The number of rows of `qkv` that are queries, and that are keys and values.
        self._parts = [heads.queries * heads.size, 2 * heads.keys * heads.size]
        self.post = architecture.order == "post"

        def pair(name):
            return pair_of(tensors, f"block.{number}.{name}")

        def norm(name):
            return Norm.of(tensors, f"block.{number}.{name}", architecture)

        weights, biases = zip(*(pair(name) for name in ("query", "key", "value")), strict=True)
        self.qkv = torch.cat(weights), None if biases[0] is None else torch.cat(biases)
        self.attention_output = pair("attention_output")
        self.intermediate, self.gate = pair("intermediate"), pair("gate")
        self.output = pair("output")
        self.attention_norm = norm("attention_norm")
        self.intermediate_norm = norm("intermediate_norm")
        self.output_norm = norm("output_norm")

    def queries_keys_values(self, states, rows: slice, rotary=None):
        """Return queries of some rows, keys and values of all: (t, n, heads · head size).

        rotary: rotary positions of all rows, (2, tokens, head size), or None.
        """
        if not self.post:
            states = normed(states, self.attention_norm)
        if len(states[rows]) == len(states):
            q, kv = F.linear(states, *self.qkv).split(self._parts, dim=-1)
        else:
            split = (p.split(self._parts) if p is not None else (None, None) for p in self.qkv)
            (qw, kvw), (qb, kvb) = split
            q, kv = F.linear(states[rows], qw, qb), F.linear(states, kvw, kvb)
        k, v = kv.chunk(2, dim=-1)
        if rotary is not None:
            q, k = rotate(q, rotary[:, rows]), rotate(k, rotary)
        return q, k, v

    def after_attention(self, residual, attended):
        """Return the residual sum after attention, from what attention found: (t, n, H)."""
        states = residual + F.linear(attended, *self.attention_output)
        return normed(states, self.attention_norm) if self.post else states

    def inner_activations(self, states, indices=slice(None)):
        """Return the activations of some or all neurons inside the feed-forward layer."""
        if not self.post:
            states = normed(states, self.intermediate_norm)
        inner = F.linear(states, *some(self.intermediate, indices))
        if self.gate is None:
            return self.activation(inner)
        return self.activation(F.linear(states, *some(self.gate, indices))) * inner

    def feed_forward(self, states):
        """Return the feed-forward layer's residual sum, and the activations inside the layer."""
        inner = self.inner_activations(states)
        states = states + F.linear(inner, *self.output)
        return (normed(states, self.output_norm) if self.post else states), inner


def pair_of(tensors: dict, name: str, first: str = "weight") -> tuple | None:
    """Return a linear map's weight and bias, or a norm's gain and bias; None if missing."""
    if f"{name}.{first}" not in tensors:
        return None
    return tensors[f"{name}.{first}"], tensors.get(f"{name}.bias")


def some(pair: tuple, rows) -> tuple:
    """Return some rows of a weight and of its bias."""
    return tuple(part if part is None else part[rows] for part in pair)
