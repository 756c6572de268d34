"""A frozen model as the scripts read it: its frame's ids, its device, its dtype."""

import logging

import torch

from textualization.bert import FrozenBert

FRAME = ("[CLS]", "[SEP]")


def load_model(weights, words, read, device, dtype="float32", products=None) -> FrozenBert:
    """Load frozen weights. words: the vocabulary, in the order of ids.

    device: `cpu`, `cuda` or `auto` (a GPU if one is visible). products: the dtype of the matrix
    products if not `dtype`: `bfloat16` or `tf32`.
    Raises RuntimeError if `cuda` is asked for and no GPU is visible, or `tf32` and none is used.
    """
    visible = torch.cuda.is_available()
    if device == "cuda" and not visible:
        raise RuntimeError("ascent.device is cuda, but no CUDA device is visible to this job")
    if device == "auto":
        device = "cuda" if visible else "cpu"
    if products == "tf32" and device == "cpu":
        raise RuntimeError("ascent.precision.products is tf32, which needs a GPU")
    logging.info("device %s, %s, %d threads", device, dtype, torch.get_num_threads())
    entries = list(words)
    frame = [entries.index(token) for token in FRAME]
    return FrozenBert.load(
        weights,
        frame,
        read=read,
        device=device,
        dtype=getattr(torch, dtype),
        products=products,
    )
