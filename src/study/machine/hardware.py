"""What this machine has. Loads fast: the Snakefile imports this module, and torch takes seconds."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

#: Variable that holds the answer for the jobs of a run, which parse the Snakefile too.
ANSWER = "TEXTUALIZATION_GPU"
#: Folder of the NVIDIA driver. Without driver and `nvidia-smi` no GPU computes.
DRIVER = Path("/proc/driver/nvidia")
#: What a job would answer. A driver that hangs is asked in vain.
QUESTION = "from textualization.models.devices import chosen_device; print(*chosen_device('auto'))"
SECONDS = 120


def gpu_computes() -> bool:
    """Tell whether torch can compute on a GPU of this machine; torch is asked once in a run."""
    if ANSWER not in os.environ:
        driver = shutil.which("nvidia-smi") is not None or DRIVER.exists()
        os.environ[ANSWER] = _ask_torch() if driver else "cpu"
    return os.environ[ANSWER].startswith("cuda")


def _ask_torch() -> str:
    """Return the device that a job would take, in words."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", QUESTION],
            capture_output=True, encoding="utf-8", errors="replace", timeout=SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "cpu"
    return done.stdout.strip()
