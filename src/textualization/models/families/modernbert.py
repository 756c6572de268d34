"""ModernBERT (Warner et al. 2024, arXiv 2412.13663): encoder, pre-norm, gated, rotary."""

import math

import torch

from textualization.models.families import TOKENS, Family, usual


def architecture(config) -> dict:
    return usual(config) | {
        "epsilon": config.norm_eps,
        "activation": config.hidden_activation,
        "order": "pre",
        "cutoff": config.initializer_cutoff_factor or 3.0,
        "padding": -1,
        "initial": tuple(
            (name, config.initializer_range / math.sqrt(2 * config.num_hidden_layers))
            for name in ("attention_output", "output")
        ),
    }


def prepare(tensors: dict, config) -> dict:
    """Split query, key and value, and the feed-forward layer and its gate."""
    split = {"Wqkv": ("q", "k", "v"), "Wi": ("gate", "up")}
    found = {}
    for name, tensor in tensors.items():
        whole = next((part for part in name.split(".") if part in split), None)
        if whole:
            parts = zip(split[whole], tensor.chunk(len(split[whole])), strict=True)
            found |= {name.replace(whole, part): t for part, t in parts}
        else:
            found[name] = tensor
    return found


def constants(model, tokens: int) -> dict:
    x, place = torch.zeros(1, dtype=torch.float32), torch.arange(tokens)[None]
    kinds = model.config.layer_types
    rotary = {kind: torch.cat(model.rotary_emb(x, place, kind)) for kind in set(kinds)}
    return {f"rotary.{layer}": rotary[kind] for layer, kind in enumerate(kinds, start=1)}


FAMILY = Family(
    model_types=("modernbert",),
    architecture=architecture,
    frame=("[CLS]", "[SEP]"),
    tensors={
        "word_embeddings": "embeddings.tok_embeddings",
        "embedding_norm": "embeddings.norm",
        "final_norm": "final_norm",
    },
    block="layers.{}.",
    inside={
        "attention_norm": "attn_norm",
        "query": "attn.q",
        "key": "attn.k",
        "value": "attn.v",
        "attention_output": "attn.Wo",
        "intermediate_norm": "mlp_norm",
        "gate": "mlp.gate",
        "intermediate": "mlp.up",
        "output": "mlp.Wo",
    },
    # Otherwise some tokens of an input do not see each other.
    least={"local_attention": 2 * (TOKENS - 1)},
    prepare=prepare,
    constants=constants,
)
