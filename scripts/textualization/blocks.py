"""One block's weights, as the engine multiplies them."""

from typing import NamedTuple

import torch


class Block(NamedTuple):
    """One block's weights as (weight, bias) pairs, None where it has none; the first holds q, k, v."""

    qkv: tuple
    attention_output: tuple
    intermediate: tuple
    output: tuple
    gate: tuple | None
    attention_norm: tuple | None
    intermediate_norm: tuple | None
    output_norm: tuple | None


def bases(tensors: dict) -> dict[tuple[str, int], torch.Tensor]:
    """Directions that are read in place of neurons, by site and layer."""
    names = [name.split(".") for name in tensors if name.startswith("basis.")]
    return {(site, int(layer)): tensors[f"basis.{site}.{layer}"] for _, site, layer in names}


def pair_of(tensors: dict, name: str, first: str = "weight") -> tuple | None:
    """A linear map's weight and bias, or a LayerNorm's gain and bias; None if the model has none."""
    if f"{name}.{first}" not in tensors:
        return None
    return tensors[f"{name}.{first}"], tensors.get(f"{name}.bias")


def some(pair: tuple, rows) -> tuple:
    """Some rows of a weight and its bias."""
    return tuple(part if part is None else part[rows] for part in pair)


def arrays(pair: tuple):
    """A pair in float64, zeros where there is no bias."""
    weight, bias = pair
    bias = weight.new_zeros(len(weight)) if bias is None else bias
    return weight.double().cpu().numpy(), bias.double().cpu().numpy()


def block_of(tensors: dict, number: int) -> Block:
    """A block of a model's tensors, named as `textualization.freezing` does; counted from 1."""

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


def for_products(block: Block, dtype) -> Block:
    """The same block, its linear maps in the type that products are taken in; norms as they are."""
    linear = ("qkv", "attention_output", "intermediate", "output", "gate")
    parts = {name: getattr(block, name) for name in linear}
    return block._replace(
        **{
            name: tuple(p if p is None else p.to(dtype) for p in pair)
            for name, pair in parts.items()
            if pair is not None
        }
    )
