"""A frozen model as the scripts read it: its device, its dtype."""

import logging

import torch

from textualization.transformer import FrozenTransformer


def load_model(
    weights, read, device, dtype="float32", products=None, **options
) -> FrozenTransformer:
    """Load frozen weights.

    device: `cpu`, `cuda` or `auto` (a GPU if one is visible). products: the dtype of the matrix
    products if not `dtype`: `bfloat16` or `tf32`. options: others of FrozenTransformer.
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
    return FrozenTransformer.load(
        weights,
        read=read,
        device=device,
        dtype=getattr(torch, dtype),
        products=products,
        **options,
    )
