"""The catalogue of known models, and the entry of a model that is not in it."""

import os
import tempfile
from pathlib import Path

import yaml
from filelock import FileLock

from textualization.errors import RequestError
from textualization.models.config import config_of, family_of, model_type_of
from textualization.models.families import family
from textualization.models.sources import (
    checksum_of,
    fetch,
    files_of,
    folder_name,
    local_folder,
)
from textualization.models.sources.gguf import GGUF

CATALOGUE = Path(__file__).parents[1] / "catalogue.yaml"


def catalogue() -> dict[str, dict]:
    """Return the entries of the known models by name."""
    return yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))["catalogue"]


def cached_folder(name: str, entry: dict) -> Path:
    """Return the folder of a known model in this user's cache; fetch it if it is not there.

    The cache is `$XDG_CACHE_HOME/textualization`, by default `~/.cache/textualization`.

    Args:
        name: the model's name.
        entry: its entry in the catalogue.

    Raises:
        SourceError: the model cannot be fetched.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "textualization"
    folder = cache / folder_name(name, entry)
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        if not folder.is_dir():
            # What a broken download leaves here is continued.
            partial = folder.with_name(f"{folder.name}.partial")
            fetch(entry, partial)
            partial.rename(folder)
    return folder


def source_of_path(path: str | Path) -> dict | None:
    """Return the source of a model's folder, or of a GGUF file; None if there is neither."""
    path = Path(path).expanduser()
    if path.is_file():
        return {"source": "path", "path": str(path.parent), "gguf": path.name}
    if not path.is_dir():
        return None
    source = {"source": "path", "path": str(path)}
    files = sorted(path.glob(f"*{GGUF}"))
    alone = len(files) == 1 and not any(file.is_file() for file in files_of(path))
    return source | ({"gguf": files[0].name} if alone else {})


def entry_of(path: str | Path) -> dict:
    """Return the catalogue's entry for a model's folder, or for a GGUF file.

    Args:
        path: a folder with `config.json`, `tokenizer.json` and the weights; or a GGUF file.

    Raises:
        RequestError: there is no such file or folder, or no family reads the model.
        SourceError: a file of the folder is missing or cannot be used.
    """
    source = source_of_path(path)
    if source is None:
        raise RequestError(f"{path}: there is no such file or folder")
    with tempfile.TemporaryDirectory() as temporary:
        folder = local_folder(source)
        if folder is None:
            folder = Path(temporary)
            fetch(source, folder)
        of = family_of(path, model_type_of(folder))
        facts = family(of).architecture(config_of(folder, of))
    shape = {key: facts[key] for key in ("layers", "hidden", "intermediate", "words")}
    return source | {"family": of, "sha256": checksum_of(source)} | shape
