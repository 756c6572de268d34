"""Weights of one block, in the form that the forward pass uses."""

from typing import NamedTuple

import torch


class Block(NamedTuple):
    """Weights of one block as (weight, bias) pairs, None where missing; qkv holds q, k and v."""

    qkv: tuple
    attention_output: tuple
    intermediate: tuple
    output: tuple
    gate: tuple | None
    attention_norm: tuple | None
    intermediate_norm: tuple | None
    output_norm: tuple | None


def bases(tensors: dict) -> dict[tuple[str, int], torch.Tensor]:
    """Return the bases that are read in place of neurons, by (site, layer)."""
    names = [name.split(".") for name in tensors if name.startswith("basis.")]
    return {(site, int(layer)): tensors[f"basis.{site}.{layer}"] for _, site, layer in names}


def pair_of(tensors: dict, name: str, first: str = "weight") -> tuple | None:
    """Return a linear map's weight and bias, or a norm's gain and bias; None if missing."""
    if f"{name}.{first}" not in tensors:
        return None
    return tensors[f"{name}.{first}"], tensors.get(f"{name}.bias")


def some(pair: tuple, rows) -> tuple:
    """Return some rows of a weight and of its bias."""
    return tuple(part if part is None else part[rows] for part in pair)


def arrays(pair: tuple):
    """Return a pair as float64 arrays; a missing bias becomes zeros."""
    weight, bias = pair
    bias = weight.new_zeros(len(weight)) if bias is None else bias
    return weight.double().cpu().numpy(), bias.double().cpu().numpy()


def block_of(tensors: dict, number: int) -> Block:
    """Return a block of converted tensors, by its number from 1."""

    def pair(name, first="weight"):
        return pair_of(tensors, f"block.{number}.{name}", first)

    weights, biases = zip(*(pair(name) for name in ("query", "key", "value")), strict=True)
    return Block(
        qkv=(torch.cat(weights), None if biases[0] is None else torch.cat(biases)),
        attention_output=pair("attention_output"),
        intermediate=pair("intermediate"),
        output=pair("output"),
        gate=pair("gate"),
        attention_norm=pair("attention_norm", "gain"),
        intermediate_norm=pair("intermediate_norm", "gain"),
        output_norm=pair("output_norm", "gain"),
    )
