"""Which GPU a job takes: one that no other job on the machine holds."""

import os
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout

#: Locks of this process. The system lets go of them when the process ends, however it ends.
_held: list[FileLock] = []


def take_free(identities: list[str], folder: Path | None = None) -> tuple[int, bool]:
    """The number, from 0, of a GPU for this process, and whether no other process holds it.

    identities: what tells the GPUs that are visible apart, on the whole machine. folder: of the
    locks, one of the user's own if not given. If all are held, processes share them by their ids.
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
