"""LLaMA (Touvron et al. 2023, arXiv 2302.13971): causal, pre-norm, RMSNorm, gated, rotary."""

import torch

from textualization.models.families import Family, IdOf, usual


def architecture(config) -> dict:
    return usual(config) | {
        "kv_heads": config.num_key_value_heads,
        "head_size": config.head_dim,
        "epsilon": config.rms_norm_eps,
        "activation": config.hidden_act,
        "normalisation": "rms",
        "order": "pre",
        "causal": True,
    }


def constants(model, tokens: int) -> dict:
    x, place = torch.zeros(1, dtype=torch.float32), torch.arange(tokens)[None]
    rotary = torch.cat(model.rotary_emb(x, place))
    layers = range(1, model.config.num_hidden_layers + 1)
    return {f"rotary.{layer}": rotary for layer in layers}


FAMILY = Family(
    model_types=("llama",),
    architecture=architecture,
    frame=(IdOf("bos_token_id"), None),
    tensors={"word_embeddings": "embed_tokens", "final_norm": "norm"},
    block="layers.{}.",
    inside={
        "attention_norm": "input_layernorm",
        "query": "self_attn.q_proj",
        "key": "self_attn.k_proj",
        "value": "self_attn.v_proj",
        "attention_output": "self_attn.o_proj",
        "intermediate_norm": "post_attention_layernorm",
        "gate": "mlp.gate_proj",
        "intermediate": "mlp.up_proj",
        "output": "mlp.down_proj",
    },
    # Transformers would ignore it or fail, depending on the kind of rotary positions.
    only={"rope_parameters.partial_rotary_factor": 1.0},
    constants=constants,
)
