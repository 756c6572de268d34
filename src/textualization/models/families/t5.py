"""T5's encoder (Raffel et al. 2020, arXiv 1910.10683): pre-norm, RMSNorm, relative positions.

Linear maps have no bias, and attention scores are not scaled. T5 1.1 has gated feed-forward layers.
"""

import torch

from textualization.models.families import Family, IdOf

FIRST = "encoder.block.0.layer.0.SelfAttention"


def architecture(config) -> dict:
    factor, hidden = config.initializer_factor, config.d_model
    inner = config.num_heads * config.d_kv
    return {
        "layers": config.num_layers,
        "hidden": hidden,
        "intermediate": config.d_ff,
        "words": config.vocab_size,
        "heads": config.num_heads,
        "head_size": config.d_kv,
        "epsilon": config.layer_norm_epsilon,
        "activation": config.dense_act_fn,
        "normalisation": "rms",
        "order": "pre",
        "scaled": False,
        "initializer_range": factor * hidden**-0.5,
        "initial": (
            ("word_embeddings", factor),
            ("query", factor * (hidden * config.d_kv) ** -0.5),
            ("attention_output", factor * inner**-0.5),
            ("output", factor * config.d_ff**-0.5),
        ),
    }


def prepare(tensors: dict, config) -> dict:
    """Give gated and plain feed-forward layers the same names."""
    names = {"wi_0": "gate", "wi_1": "wi"}
    return {
        ".".join(names.get(part, part) for part in name.split(".")): tensor
        for name, tensor in tensors.items()
    }


def constants(model, tokens: int) -> dict:
    place = torch.arange(tokens)
    attention = model.encoder.block[0].layer[0].SelfAttention
    buckets = attention._relative_position_bucket(
        place[None, :] - place[:, None],
        num_buckets=attention.relative_attention_num_buckets,
        max_distance=attention.relative_attention_max_distance,
    )
    return {"buckets": buckets}


FAMILY = Family(
    model_types=("t5",),
    model="T5EncoderModel",
    architecture=architecture,
    frame=(None, IdOf("eos_token_id")),
    tensors={
        "word_embeddings": "encoder.embed_tokens",  # tied to `shared` in most checkpoints
        "relative_bias": FIRST + ".relative_attention_bias",
        "final_norm": "encoder.final_layer_norm",
    },
    block="encoder.block.{}.",
    inside={
        "attention_norm": "layer.0.layer_norm",
        "query": "layer.0.SelfAttention.q",
        "key": "layer.0.SelfAttention.k",
        "value": "layer.0.SelfAttention.v",
        "attention_output": "layer.0.SelfAttention.o",
        "intermediate_norm": "layer.1.layer_norm",
        "gate": "layer.1.DenseReluDense.gate",
        "intermediate": "layer.1.DenseReluDense.wi",
        "output": "layer.1.DenseReluDense.wo",
    },
    prepare=prepare,
    constants=constants,
)
