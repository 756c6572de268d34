"""RoBERTa (Liu et al. 2019, arXiv 1907.11692) and XLM-R (Conneau et al. 2020): BERT's blocks.

Positions are counted from the padding entry.
"""

from textualization.models.families import Family, as_in_bert
from textualization.models.families.bert import EMBEDDINGS, INSIDE

FAMILY = Family(
    model_types=("roberta", "xlm-roberta", "camembert"),
    options={"add_pooling_layer": False},
    architecture=lambda config: as_in_bert(config) | {"first_position": config.pad_token_id + 1},
    frame=lambda config: ("<s>", "</s>"),
    tensors=EMBEDDINGS,
    block="encoder.layer.{}.",
    inside=INSIDE,
    only={"is_decoder": False},
)
