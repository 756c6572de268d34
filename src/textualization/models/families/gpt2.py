"""GPT-2 (Radford et al. 2019): causal, pre-norm.

Its tokenizer adds no special tokens. x follows the beginning-of-text token, since later tokens
attend strongly to the first token, whatever it is.
"""

import math

from textualization.models.families import Family, IdOf


def architecture(config) -> dict:
    return {
        "layers": config.n_layer,
        "hidden": config.n_embd,
        "intermediate": config.n_inner or 4 * config.n_embd,
        "words": config.vocab_size,
        "heads": config.n_head,
        "epsilon": config.layer_norm_epsilon,
        "activation": config.activation_function,
        "order": "pre",
        "causal": True,
        "initializer_range": config.initializer_range,
        "initial": tuple(
            (name, config.initializer_range / math.sqrt(2 * config.n_layer))
            for name in ("attention_output", "output")
        ),
    }


def prepare(tensors: dict, config) -> dict:
    """Transpose linear maps; split query, key and value."""
    found = {}
    for name, tensor in tensors.items():
        if name.startswith("h.") and tensor.ndim == 2:
            tensor = tensor.T
        if ".c_attn." in name:
            parts = zip(("q", "k", "v"), tensor.split(config.n_embd), strict=True)
            found |= {name.replace("c_attn", part): t for part, t in parts}
        else:
            found[name] = tensor
    return found


FAMILY = Family(
    model_types=("gpt2",),
    architecture=architecture,
    frame=(IdOf("bos_token_id"), None),
    tensors={"word_embeddings": "wte", "position_embeddings": "wpe", "final_norm": "ln_f"},
    block="h.{}.",
    inside={
        "attention_norm": "ln_1",
        "query": "attn.q",
        "key": "attn.k",
        "value": "attn.v",
        "attention_output": "attn.c_proj",
        "intermediate_norm": "ln_2",
        "intermediate": "mlp.c_fc",
        "output": "mlp.c_proj",
    },
    only={"scale_attn_weights": True, "scale_attn_by_inverse_layer_idx": False}
    | {"add_cross_attention": False},
    unread=(".attn.masked_bias",),  # the causal mask
    prepare=prepare,
)
