"""Snapshots of a long computation: its tensors on disk, with a fingerprint of their origin."""

import contextlib
import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from textualization.files import atomic


@dataclass
class Snapshots:
    """Snapshot file of a computation. A snapshot with another fingerprint is never read.

    Args:
        path: the file.
        fingerprint: hash of everything that determines the result.
        every: seconds between snapshots.
    """

    path: Path
    fingerprint: str
    every: float = 300.0
    _last: float = field(default_factory=time.monotonic)

    def due(self) -> bool:
        """Tell whether it is time for the next snapshot."""
        return time.monotonic() - self._last >= self.every

    def write(self, tensors: dict[str, torch.Tensor]) -> None:
        """Write a snapshot; it replaces the last one once it is complete."""
        tensors = {name: t.contiguous().cpu() for name, t in tensors.items()}
        # The same job, still running from a killed workflow, may remove the files meanwhile.
        with contextlib.suppress(FileNotFoundError), atomic(self.path) as partial:
            save_file(tensors, partial, self._marks(tensors))
        self._last = time.monotonic()

    def usable(self) -> bool:
        """Tell whether there is an intact snapshot with this fingerprint."""
        return self.read() is not None

    def read(self) -> dict[str, torch.Tensor] | None:
        """Return the tensors of the last snapshot; None if it is not usable."""
        try:
            with safe_open(self.path, framework="pt") as file:
                # Copies, since the memory alignment of a tensor affects how products round.
                tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
                marks = file.metadata()
        except (FileNotFoundError, SafetensorError, UnicodeDecodeError):
            return None
        return tensors if marks == self._marks(tensors) else None

    def _marks(self, tensors: dict[str, torch.Tensor]) -> dict[str, str]:
        """Return a snapshot's metadata: the fingerprint and a checksum of the tensors."""
        digest = hashlib.sha256()
        for name in sorted(tensors):
            digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
            # A copy, since a single number may have a stride that allows no view.
            flat = tensors[name].reshape(-1).clone(memory_format=torch.contiguous_format)
            digest.update(flat.view(torch.uint8).numpy())
        return {"fingerprint": self.fingerprint, "sha256": digest.hexdigest()}

    def remove(self) -> None:
        """Remove the snapshot, and partial files of killed jobs."""
        path = Path(self.path)
        for left in (path, *path.parent.glob(f".{path.name}.*.partial")):
            left.unlink(missing_ok=True)
