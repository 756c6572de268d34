"""ELECTRA's discriminator (Clark et al. 2020, arXiv 2003.10555): BERT's blocks."""

from textualization.models.families import Family, as_in_bert
from textualization.models.families.bert import EMBEDDINGS, INSIDE, ONLY

FAMILY = Family(
    model_types=("electra",),
    architecture=as_in_bert,
    frame=("[CLS]", "[SEP]"),
    tensors=EMBEDDINGS | {"projection": "embeddings_project"},
    block="encoder.layer.{}.",
    inside=INSIDE,
    only=ONLY,
)
