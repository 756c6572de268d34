"""MPNet (Song et al. 2020, arXiv 2004.09297): BERT with relative positions."""

import torch

from textualization.models.families import Family, as_in_bert


def constants(model, tokens: int) -> dict:
    place = torch.arange(tokens)
    distance = place[None, :] - place[:, None]
    # The number of buckets is the method's default, as in transformers.
    return {"buckets": model.encoder.relative_position_bucket(distance)}


FAMILY = Family(
    model_types=("mpnet",),
    # The model's code fixes the padding entry; positions begin after it.
    options={"add_pooling_layer": False},
    architecture=lambda config: as_in_bert(config) | {"first_position": 2, "padding": 1},
    frame=("<s>", "</s>"),
    tensors={
        "word_embeddings": "embeddings.word_embeddings",
        "position_embeddings": "embeddings.position_embeddings",
        "embedding_norm": "embeddings.LayerNorm",
        "relative_bias": "encoder.relative_attention_bias",
    },
    block="encoder.layer.{}.",
    inside={
        "query": "attention.attn.q",
        "key": "attention.attn.k",
        "value": "attention.attn.v",
        "attention_output": "attention.attn.o",
        "attention_norm": "attention.LayerNorm",
        "intermediate": "intermediate.dense",
        "output": "output.dense",
        "output_norm": "output.LayerNorm",
    },
    # Transformers assumes this number, whatever the config says.
    only={"relative_attention_num_buckets": 32},
    constants=constants,
)
