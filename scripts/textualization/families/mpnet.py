"""MPNet (Song et al. 2020, arXiv 2004.09297): BERT's blocks without token types; attention adds a
bias for how far apart two tokens are."""

import torch

from textualization.families import Family, as_in_bert


def constants(model, tokens: int) -> dict:
    place = torch.arange(tokens)
    apart = place[None, :] - place[:, None]
    # The number of buckets is a default of the method that transformers itself leaves as it is.
    return {"buckets": model.encoder.relative_position_bucket(apart)}


FAMILY = Family(
    model_types=("mpnet",),
    # The padding entry, after which positions begin, is fixed in the code of the model.
    options={"add_pooling_layer": False},
    architecture=lambda config: as_in_bert(config) | {"first_position": 2, "padding": 1},
    frame=lambda config: ("<s>", "</s>"),
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
    constants=constants,
)
