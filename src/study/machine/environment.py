"""The environment of jobs: a user's own changes no result. Loads fast: the Snakefile imports it."""

import re
import shlex
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

from textualization.files import write_text

#: Variables that change figures (matplotlib's) or the precision of products (torch's, oneDNN's).
FOREIGN = ("MPLBACKEND", "MATPLOTLIBRC", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE")
FOREIGN += ("ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE")
#: Characters that a shell does not take as they are.
_SPECIAL = re.compile(r"""[\s()\[\]{}<>|&;$*?!~#`"'\\]""")


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
    # Jobs log how far they are: several bars on one terminal would overwrite each other.
    environment["TQDM_DISABLE"] = "1"
    own = _cache_home(environment)
    if own and _can_be_written(own):
        return
    if own and (own / "huggingface").is_dir():  # models that can be read there
        environment.setdefault("HF_HOME", str(own / "huggingface"))
    environment["XDG_CACHE_HOME"] = str(caches)
    environment.setdefault("MPLCONFIGDIR", str(caches / "matplotlib"))


def interpreter(executable: str, folder: Path) -> str:
    """Return a path of the interpreter that a shell takes without quotes.

    Args:
        executable: the interpreter's path.
        folder: folder for a script that starts it, needed if the path has blanks or brackets.
    """
    if not _SPECIAL.search(executable):
        return executable
    script, text = folder / "python", f'#!/bin/sh\nexec {shlex.quote(executable)} "$@"\n'
    if not script.is_file() or script.read_text(encoding="utf-8") != text:
        write_text(text, script)
    script.chmod(0o755)
    return str(script)


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
