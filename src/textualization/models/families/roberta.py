"""RoBERTa (Liu et al. 2019, arXiv 1907.11692) and XLM-R (Conneau et al. 2020): BERT's blocks.

Positions are counted from the padding entry.
"""

from textualization.models.families import Family, as_in_bert
from textualization.models.families.bert import EMBEDDINGS, INSIDE, ONLY


def architecture(config) -> dict:
    found = as_in_bert(config)
    return found | {"first_position": found["padding"] + 1}


FAMILY = Family(
    model_types=("roberta", "xlm-roberta", "camembert"),
    options={"add_pooling_layer": False},
    architecture=architecture,
    frame=("<s>", "</s>"),
    tensors=EMBEDDINGS,
    block="encoder.layer.{}.",
    inside=INSIDE,
    only=ONLY,
    padded=True,
)
