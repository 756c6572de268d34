"""Snapshots of a long computation: tensors on disk beside its output, and whose they are."""

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
    """Where a computation keeps itself. One that another fingerprint wrote is never read.

    fingerprint: of everything that decides the result. every: seconds between two snapshots.
    """

    path: Path
    fingerprint: str
    every: float = 300.0
    _last: float = field(default_factory=time.monotonic)

    def due(self) -> bool:
        return time.monotonic() - self._last >= self.every

    def write(self, tensors: dict[str, torch.Tensor]) -> None:
        tensors = {name: t.contiguous().cpu() for name, t in tensors.items()}
        # A twin of this job, left over from a workflow that was killed, may tidy up meanwhile.
        with contextlib.suppress(FileNotFoundError), atomic(self.path) as partial:
            save_file(tensors, partial, self._marks(tensors))
        self._last = time.monotonic()

    def usable(self) -> bool:
        """Whether there are tensors to read: whole, and of this fingerprint."""
        return self.read() is not None

    def read(self) -> dict[str, torch.Tensor] | None:
        """The tensors kept last; None if they are not usable."""
        try:
            with safe_open(self.path, framework="pt") as file:
                # Copies: where a tensor lies in the file decides how products of it round.
                tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
                marks = file.metadata()
        except (FileNotFoundError, SafetensorError, UnicodeDecodeError):
            return None
        return tensors if marks == self._marks(tensors) else None

    def _marks(self, tensors: dict[str, torch.Tensor]) -> dict[str, str]:
        """What a file says of itself: whose it is, and a checksum of its tensors."""
        digest = hashlib.sha256()
        for name in sorted(tensors):
            digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
            # A copy: the stride of a single number may be anything, and then it has no view.
            flat = tensors[name].reshape(-1).clone(memory_format=torch.contiguous_format)
            digest.update(flat.view(torch.uint8).numpy())
        return {"fingerprint": self.fingerprint, "sha256": digest.hexdigest()}

    def remove(self) -> None:
        """Leave nothing, not even what a kill left half written."""
        path = Path(self.path)
        for left in (path, *path.parent.glob(f".{path.name}.*.partial")):
            left.unlink(missing_ok=True)
