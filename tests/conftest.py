"""What the tests share: the tiny models, whole and frozen."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModel

from textualization.freezing import freeze
from textualization.transformer import FrozenTransformer

DATA = Path(__file__).parent / "data"
TINY = ("tiny-wide", "tiny-deep")
FRAME = (2, 3)  # the ids of [CLS] and [SEP] in the tiny vocabulary

torch.set_num_threads(1)


@pytest.fixture(scope="session", params=TINY)
def tiny(request):
    """(a frozen tiny model in float64, the same model as transformers reads it, in float64)."""
    return load_tiny(request.param)


def load_tiny(name, dtype=torch.float64, read="word", **options):
    frozen = FrozenTransformer(*freeze(DATA / name), read=read, dtype=dtype, **options)
    whole = AutoModel.from_pretrained(DATA / name, dtype=dtype).eval()
    return frozen, whole.requires_grad_(False)
