"""A frozen model as the scripts read it: its device, its dtype."""

import functools
import logging
import os
import socket

import torch

from textualization.devices import take_free
from textualization.transformer import FrozenTransformer


def load_model(
    weights, read, device, dtype="float32", products=None, **options
) -> FrozenTransformer:
    """Load frozen weights.

    device: `cpu`, `cuda` or `auto` (a GPU if one is visible). products: the dtype of the matrix
    products if not `dtype`: `bfloat16` or `tf32`. options: others of FrozenTransformer.
    Raises RuntimeError if `cuda` is asked for and no GPU is visible, or `tf32` and none is used.
    """
    device, description = chosen_device(device)
    if products == "tf32" and device == "cpu":
        raise RuntimeError("ascent.precision.products is tf32, which needs a GPU")
    logging.info("device %s, %s, %d threads", description, dtype, torch.get_num_threads())
    return FrozenTransformer.load(
        weights,
        read=read,
        device=device,
        dtype=getattr(torch, dtype),
        products=products,
        **options,
    )


@functools.cache
def chosen_device(asked: str) -> tuple[str, str]:
    """The device of this process, `cpu` or `cuda`, and the same in words, for the log and the record.

    Raises RuntimeError if `cuda` is asked for and none is visible.
    """
    visible = torch.cuda.device_count() if asked != "cpu" else 0
    if asked == "cuda" and not visible:
        built = "has no CUDA in it" if torch.version.cuda is None else "has CUDA in it"
        raise RuntimeError(
            "ascent.device is cuda, but no CUDA device is visible to this job on "
            f"{socket.gethostname()}: this torch {torch.__version__} {built}, "
            f"CUDA_VISIBLE_DEVICES is {os.environ.get('CUDA_VISIBLE_DEVICES', 'not set')}"
        )
    if not visible:
        why = "asked for" if asked == "cpu" else "fallback of auto: no CUDA device is visible"
        # Which of its instructions torch takes decides how sums round.
        return "cpu", f"cpu ({why}), {torch.backends.cpu.get_cpu_capability()}"
    facts = [torch.cuda.get_device_properties(number) for number in range(visible)]
    number, alone = take_free([str(gpu.uuid) for gpu in facts])
    torch.cuda.set_device(number)
    held = "no other job's" if alone else "shared with other jobs"
    return "cuda", f"cuda:{number} of {visible} ({facts[number].name}, {held})"
