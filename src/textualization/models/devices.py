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
        requested: `cpu`, `cuda`, or `auto` (a GPU if one is visible).

    Returns:
        `cpu` or `cuda`, and a description for the log.

    Raises:
        RuntimeError: `cuda` is requested and no GPU is visible.
    """
    visible = torch.cuda.device_count() if requested != "cpu" else 0
    if requested == "cuda" and not visible:
        built = "is built without CUDA" if torch.version.cuda is None else "is built with CUDA"
        raise RuntimeError(
            "ascent.device is cuda, but no CUDA device is visible to this job on "
            f"{socket.gethostname()}: this torch {torch.__version__} {built}, "
            f"CUDA_VISIBLE_DEVICES is {os.environ.get('CUDA_VISIBLE_DEVICES', 'not set')}"
        )
    if not visible:
        why = "requested" if requested == "cpu" else "fallback of auto: no CUDA device is visible"
        # The instruction set that torch uses decides how sums round.
        return "cpu", f"cpu ({why}), {torch.backends.cpu.get_cpu_capability()}"
    gpus = [torch.cuda.get_device_properties(number) for number in range(visible)]
    number, alone = take_free([str(gpu.uuid) for gpu in gpus])
    torch.cuda.set_device(number)
    use = "exclusive" if alone else "shared with other jobs"
    return "cuda", f"cuda:{number} of {visible} ({gpus[number].name}, {use})"


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
