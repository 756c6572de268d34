"""ELECTRA (Clark et al. 2020, arXiv 2003.10555), the discriminator: BERT's blocks; the words may live
in a smaller space, from which one linear map leads into the blocks."""

from textualization.families import Family, as_in_bert
from textualization.families.bert import EMBEDDINGS, INSIDE

FAMILY = Family(
    model_types=("electra",),
    architecture=as_in_bert,
    frame=lambda config: ("[CLS]", "[SEP]"),
    tensors=EMBEDDINGS | {"projection": "embeddings_project"},
    block="encoder.layer.{}.",
    inside=INSIDE,
    only={"is_decoder": False},
)
