"""Device of a process: the CPU, or a GPU that no other job on the machine holds."""

import functools
import os
import socket
import tempfile
from pathlib import Path

import torch
from filelock import FileLock, Timeout

#: Locks of this process. The operating system releases them however the process ends.
_held: list[FileLock] = []


@functools.cache
def chosen_device(requested: str) -> tuple[str, str]:
    """Choose the device of this process.

    Args:
        requested: `cpu`, `cuda`, or `auto` (a GPU if one can be used).

    Returns:
        `cpu` or `cuda`, and a description for the log.

    Raises:
        RuntimeError: `cuda` is requested and no GPU can be used.
    """
    found, reason = (None, "requested") if requested == "cpu" else _usable_gpu()
    if found:
        return "cuda", found
    if requested == "cuda":
        built = "is built without CUDA" if torch.version.cuda is None else "is built with CUDA"
        raise RuntimeError(
            f"ascent.device is cuda, but {reason} on {socket.gethostname()}: this torch "
            f"{torch.__version__} {built}, "
            f"CUDA_VISIBLE_DEVICES is {os.environ.get('CUDA_VISIBLE_DEVICES', 'not set')}"
        )
    why = reason if requested == "cpu" else f"fallback of auto: {reason}"
    # The instruction set that torch uses decides how sums round.
    return "cpu", f"cpu ({why}), {torch.backends.cpu.get_cpu_capability()}"


def _usable_gpu() -> tuple[str | None, str]:
    """Take a GPU that computes.

    Returns:
        The GPU's description, or None; and why there is none.
    """
    # Torch and the driver raise many types; all mean: not usable.
    try:
        torch.cuda.init()
        gpus = {n: torch.cuda.get_device_properties(n) for n in range(torch.cuda.device_count())}
    except Exception as error:
        return None, f"no CUDA device is visible ({_first_line(error)})"
    visible, reason = len(gpus), "no CUDA device is visible"
    while gpus:
        place, alone = take_free([str(gpu.uuid) for gpu in gpus.values()])
        number = list(gpus)[place]
        gpu = gpus.pop(number)
        try:
            torch.cuda.set_device(number)
            # A kernel and its result: GPUs that are full, or too old for this torch, fail here.
            torch.ones(1, device=f"cuda:{number}").sum().item()
        except Exception as error:
            reason = f"no CUDA device can be used ({_first_line(error)})"
            continue
        use = "exclusive" if alone else "shared with other jobs"
        return f"cuda:{number} of {visible} ({gpu.name}, {use})", ""
    return None, reason


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].removesuffix(".")


def take_free(identities: list[str], folder: Path | None = None) -> tuple[int, bool]:
    """Take a GPU for this process, preferably one that no other process holds.

    Args:
        identities: machine-wide ids of the visible GPUs.
        folder: folder of the locks; by default one per user.

    Returns:
        The GPU's number from 0, and whether this process alone holds it. If all are held, the
        process id decides which one is shared.
    """
    folder = folder or Path(tempfile.gettempdir()) / f"textualization-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number, identity in enumerate(identities):
        lock = FileLock(folder / f"{identity}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        _held.append(lock)
        return number, True
    return os.getpid() % len(identities), False
