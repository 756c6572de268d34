"""Models as files in a folder, in the hub's cache and in a wheel."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from safetensors.torch import load_file, save_file

from paths import ROOT

FILES = {
    "model.safetensors": b"weights",
    "config.json": b'{"model_type": "bert"}',
    "tokenizer.json": "é".encode(),
}
DIGEST = hashlib.sha256(b"weights").hexdigest()
OTHER = "0" * 64
REVISION = "0123456789abcdef0123456789abcdef01234567"


def folder_with(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def local(folder, digest=DIGEST):
    return {"source": "path", "path": str(folder), "sha256": digest}


ON_HUB = {"source": "hub", "repository": "some-lab/tiny-bert", "revision": REVISION}


def fetched_offline(source, into, cache):
    """Fetch in a process of its own (the client reads its settings once); its error's text."""
    script = (
        "import json, sys\n"
        "from textualization.models.sources import SourceError, fetch\n"
        "try:\n"
        "    fetch(json.loads(sys.argv[1]), sys.argv[2])\n"
        "except SourceError as error:\n"
        "    print(error)\n"
    )
    environment = os.environ | {"HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(source), str(into)],
        env=environment | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def hub_cache(folder, files, revision=REVISION):
    """A cache as the hub's client keeps it: blobs by checksum, snapshots that link to them."""
    repository = folder / "models--some-lab--tiny-bert"
    folder_with(repository, {"refs/main": b"f" * 40})
    snapshot = repository / "snapshots" / revision
    snapshot.mkdir(parents=True)
    for name, content in files.items():
        blob = hashlib.sha256(content).hexdigest()
        folder_with(repository / "blobs", {blob: content})
        (snapshot / name).symlink_to(Path("../../blobs") / blob)
    return folder


def wheel(folder, files, requires="a-package-that-nobody-has"):
    """A wheel tiny_weights 1.0 that carries `files` and asks for a dependency."""
    piece_wheel(folder, "tiny_weights", files, requires)


def piece_wheel(folder, package, files, requires="a-package-that-nobody-has"):
    about = f"{package}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {package.replace('_', '-')}\nVersion: 1.0\n"
    tags = "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = files | {
        f"{about}/METADATA": f"{metadata}Requires-Dist: {requires}\n".encode(),
        f"{about}/WHEEL": tags.encode(),
    }
    files[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in files).encode()
    with zipfile.ZipFile(folder / f"{package}-1.0-py3-none-any.whl", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def on_pypi(version="1.0", digest=DIGEST):
    return {"source": "pypi", "package": "tiny-weights", "version": version, "sha256": digest}


def divided(model, folder):
    """A copy of a model with its weights in two shards."""
    shutil.copytree(model, folder)
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    places = {}
    for number in (1, 2):
        shard = f"model-0000{number}-of-00002.safetensors"
        inside = {name: tensors[name] for name in sorted(tensors)[number - 1 :: 2]}
        save_file(inside, folder / shard, metadata={"format": "pt"})
        places |= dict.fromkeys(inside, shard)
    index = json.dumps({"metadata": {}, "weight_map": places})
    (folder / "model.safetensors.index.json").write_text(index)
    return folder
