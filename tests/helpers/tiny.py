"""The tiny models of tests/data, as this library and as transformers read them."""

import torch
from transformers import AutoModel

from paths import DATA
from textualization.models.conversion import convert
from textualization.models.transformer import FrozenTransformer

TINY = ("tiny-wide", "tiny-deep")
FRAME = (2, 3)  # the ids of [CLS] and [SEP] in the tiny vocabulary


def load_tiny(name, dtype=torch.float64, read="word", **options):
    frozen = FrozenTransformer(*convert(DATA / name), read=read, dtype=dtype, **options)
    whole = AutoModel.from_pretrained(DATA / name, dtype=dtype).eval()
    return frozen, whole.requires_grad_(False)
