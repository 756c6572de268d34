"""The environment of jobs: a user's own changes no result. Loads fast: the Snakefile imports it."""

import tempfile
from collections.abc import MutableMapping
from pathlib import Path

#: Variables that change figures (matplotlib's) or the precision of products (torch's, oneDNN's).
FOREIGN = ("MPLBACKEND", "MATPLOTLIBRC", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE")
FOREIGN += ("ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE")


def settle(environment: MutableMapping[str, str], caches: Path) -> None:
    """Make an environment the same for every user, where it matters to jobs.

    Args:
        environment: the variables, which jobs inherit.
        caches: folder for caches if the user's cannot be written.
    """
    for name in FOREIGN:
        environment.pop(name, None)
    # Files, arguments and other programs' messages are in UTF-8, whatever the locale.
    environment["PYTHONUTF8"] = "1"
    own = _cache_home(environment)
    if own and _can_be_written(own):
        return
    if own and (own / "huggingface").is_dir():  # models that can be read there
        environment.setdefault("HF_HOME", str(own / "huggingface"))
    environment["XDG_CACHE_HOME"] = str(caches)
    environment.setdefault("MPLCONFIGDIR", str(caches / "matplotlib"))


def _cache_home(environment) -> Path | None:
    """Return the folder of the user's caches; None for a user without a home folder."""
    try:
        return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return None


def _can_be_written(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
