"""BERT (Devlin et al. 2019, arXiv 1810.04805), the paper's family."""

from textualization.models.families import Family, as_in_bert

EMBEDDINGS = {
    "word_embeddings": "embeddings.word_embeddings",
    "position_embeddings": "embeddings.position_embeddings",
    "type_embedding": "embeddings.token_type_embeddings",
    "embedding_norm": "embeddings.LayerNorm",
}
INSIDE = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention_output": "attention.output.dense",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "output_norm": "output.LayerNorm",
}
#: Transformers ignores the kind of position embeddings, and takes any checkpoint for `absolute`.
ONLY = {"is_decoder": False, "position_embedding_type": "absolute"}

FAMILY = Family(
    model_types=("bert",),
    options={"add_pooling_layer": False},
    architecture=as_in_bert,
    frame=("[CLS]", "[SEP]"),
    tensors=EMBEDDINGS,
    block="encoder.layer.{}.",
    inside=INSIDE,
    only=ONLY,
)
