"""ALBERT (Lan et al. 2020, arXiv 1909.11942): layers share the weights of blocks."""

from textualization.models.families import Family, as_in_bert
from textualization.models.families.bert import EMBEDDINGS

GROUPS = "encoder.albert_layer_groups."


def architecture(config) -> dict:
    layers, groups = config.num_hidden_layers, config.num_hidden_groups
    # The layer's group, computed as in transformers.
    shared = [int(layer / (layers / groups)) + 1 for layer in range(layers)]
    return as_in_bert(config) | {"blocks": tuple(shared)}


FAMILY = Family(
    model_types=("albert",),
    options={"add_pooling_layer": False},
    architecture=architecture,
    frame=("[CLS]", "[SEP]"),
    tensors=EMBEDDINGS | {"projection": "encoder.embedding_hidden_mapping_in"},
    block=GROUPS + "{}.albert_layers.0.",
    inside={
        "query": "attention.query",
        "key": "attention.key",
        "value": "attention.value",
        "attention_output": "attention.dense",
        "attention_norm": "attention.LayerNorm",
        "intermediate": "ffn",
        "output": "ffn_output",
        "output_norm": "full_layer_layer_norm",
    },
    only={"inner_group_num": 1, "position_embedding_type": "absolute"},
)
