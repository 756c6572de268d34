"""Models in other formats through the workflow: a split archive on a package index, and a GGUF file."""

import hashlib
import io
import json
import zipfile

import pandas as pd
import pytest
from safetensors import safe_open

import gguf_file
from model_sources import piece_wheel
from paths import DATA
from textualization.models.sources.catalogue import entry_of
from workflow import copy_of_the_project, read_settings, snakemake, write_settings

pytestmark = pytest.mark.workflow


def split_archive(index, pieces=2) -> list[dict]:
    """A tiny model as a zip archive in wheels; the pieces as the catalogue names them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as stream:
        for path in (DATA / "tiny-deep").iterdir():
            stream.write(path, f"tiny/{path.name}")
    content, found = packed.getvalue(), []
    size = -(-len(content) // pieces)
    for n in range(pieces):
        part = content[n * size : (n + 1) * size]
        piece_wheel(index, f"tiny_part_{n}", {f"tiny.zip.{n + 1:03d}": part})
        digest = hashlib.sha256(part).hexdigest()
        found.append({"package": f"tiny-part-{n}", "version": "1.0", "sha256": digest})
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = copy_of_the_project(tmp_path_factory.mktemp("formats"))
    index = folder / "index"
    index.mkdir()
    settings = read_settings(folder)
    shape = settings["catalogue"]["tiny-deep"]
    split = {key: value for key, value in shape.items() if key != "path"}
    split |= {"source": "pypi", "pieces": split_archive(index), "license": "MIT"}
    gguf_file.write(folder / "tiny.gguf")
    quantised = entry_of(folder / "tiny.gguf") | {"precision": "4-bit weights"}
    settings["catalogue"] = {"split": split, "quantised": quantised}
    settings["models"] = ["split", "quantised"]
    write_settings(folder, settings)
    own = {"PIP_FIND_LINKS": str(index), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null"}
    targets = [f"results/test/{model}/vocabulary.parquet" for model in settings["models"]]
    snakemake(folder, "--configfile", "config/test.yaml", "--", *targets, overlay=None, **own)
    return folder


def test_both_are_converted_and_their_words_listed(folder):
    words = {
        model: pd.read_parquet(folder / f"results/test/{model}/vocabulary.parquet")
        for model in ("split", "quantised")
    }
    entries = json.loads((DATA / "tiny-deep/tokenizer.json").read_text())["model"]["vocab"]
    assert list(words["split"]["entry"]) == list(entries)
    assert list(words["quantised"]["entry"]) == gguf_file.ENTRIES
    (frozen,) = folder.glob("results/_models/quantised-*/frozen.safetensors")
    with safe_open(frozen, framework="numpy") as tensors:
        assert {"word_embeddings", "block.2.gate.weight"} <= set(tensors.keys())


def test_nothing_is_left_of_the_pieces(folder):
    (fetched,) = folder.glob("results/_models/split-*")
    assert not (fetched / ".pieces").exists()
    done = snakemake(
        folder, "--dry-run", "--configfile", "config/test.yaml", "--",
        "results/test/split/vocabulary.parquet", overlay=None,
    )  # fmt: skip
    assert "Nothing to be done" in done
