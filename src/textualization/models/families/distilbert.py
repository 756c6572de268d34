"""DistilBERT (Sanh et al. 2019, arXiv 1910.01108): half of BERT's blocks, no token types."""

from textualization.models.families import Family, padding


def architecture(config) -> dict:
    return {
        "layers": config.n_layers,
        "hidden": config.dim,
        "intermediate": config.hidden_dim,
        "words": config.vocab_size,
        "heads": config.n_heads,
        "epsilon": 1e-12,  # fixed in the model's code
        "activation": config.activation,
        "initializer_range": config.initializer_range,
        "padding": padding(config),
    }


FAMILY = Family(
    model_types=("distilbert",),
    architecture=architecture,
    frame=("[CLS]", "[SEP]"),
    tensors={
        "word_embeddings": "embeddings.word_embeddings",
        "position_embeddings": "embeddings.position_embeddings",
        "embedding_norm": "embeddings.LayerNorm",
    },
    block="transformer.layer.{}.",
    inside={
        "query": "attention.q_lin",
        "key": "attention.k_lin",
        "value": "attention.v_lin",
        "attention_output": "attention.out_lin",
        "attention_norm": "sa_layer_norm",
        "intermediate": "ffn.lin1",
        "output": "ffn.lin2",
        "output_norm": "output_layer_norm",
    },
)
