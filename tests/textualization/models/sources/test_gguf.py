"""A GGUF file made on the spot: its tensors, its tokenizer, what is said where it cannot be read."""

import hashlib
import json

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file
from tokenizers import Tokenizer

import gguf_file
import textualization as tx
from model_sources import contents, local
from scripts.commands import model_entry
from textualization.models.sources import MODEL_FILES, SourceError, fetch, files_of, missing
from textualization.models.sources import gguf as reader
from textualization.models.sources.catalogue import entry_of


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    return path, gguf_file.write(path)


def source(path, **changes):
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return local(path.parent, digest) | {"gguf": path.name} | changes


def rows_in_halves(weights):
    """How LLaMA's rotary rows are stored by transformers: llama.cpp interleaves the two halves."""
    rows = weights.reshape(gguf_file.HEADS, -1, 2, weights.shape[1])
    return rows.swapaxes(1, 2).reshape(weights.shape)


def test_the_tensors_are_those_that_the_four_bits_stand_for(written, tmp_path):
    path, tensors = written
    fetch(source(path), tmp_path / "into")
    assert set(contents(tmp_path / "into")) == set(MODEL_FILES)
    found = load_file(tmp_path / "into/model.safetensors")
    assert all(tensor.dtype == torch.float32 for tensor in found.values())
    for name, part, change in (
        ("token_embd", "model.embed_tokens", np.asarray),
        ("blk.1.ffn_gate", "model.layers.1.mlp.gate_proj", np.asarray),
        ("blk.0.ffn_down", "model.layers.0.mlp.down_proj", np.asarray),
        ("blk.1.attn_norm", "model.layers.1.input_layernorm", np.asarray),
        ("blk.0.attn_q", "model.layers.0.self_attn.q_proj", rows_in_halves),
    ):
        assert np.array_equal(found[f"{part}.weight"].numpy(), change(tensors[f"{name}.weight"]))
    assert "lm_head.weight" not in found  # tied
    config = json.loads((tmp_path / "into/config.json").read_text())
    assert config["model_type"] == "llama" and "quantization_config" not in config
    tokenizer = Tokenizer.from_file(str(tmp_path / "into/tokenizer.json"))
    assert tokenizer.get_vocab() == {entry: row for row, entry in enumerate(gguf_file.ENTRIES)}


def test_the_library_and_the_command_take_the_file_or_its_folder(written, capsys):
    path, _ = written
    for place in (path, path.parent):
        model = tx.load(str(place))
        assert len(model.words) == len(gguf_file.ENTRIES)
        optima = tx.ascend(model, neurons=["intermediate/2/5"], solver="lbfgs", steps=5)
        assert np.isfinite(optima.table()["activation"]).all()
    entry = entry_of(path)
    shape = {key: entry[key] for key in ("layers", "hidden", "intermediate", "words")}
    assert list(shape.values()) == [2, 32, 64, len(gguf_file.ENTRIES)]
    assert entry["sha256"] == source(path)["sha256"] and entry["family"] == "llama"
    model_entry.main([str(path), "--name", "mine"])
    assert yaml.safe_load(capsys.readouterr().out)["catalogue"] == {"mine": entry}


def test_other_weights_a_broken_file_and_a_missing_one_are_named(written, tmp_path):
    path, _ = written
    with pytest.raises(SourceError, match=r"^tiny.gguf of .* has SHA-256"):
        fetch(source(path, sha256="0" * 64), tmp_path / "into")
    broken = tmp_path / "broken" / "cut.gguf"
    broken.parent.mkdir()
    broken.write_bytes(path.read_bytes()[:500])
    with pytest.raises(SourceError, match=r"^cut.gguf of .* cannot be read by transformers: "):
        fetch(source(broken), tmp_path / "into")
    assert "has no other.gguf" in missing(source(path, gguf="other.gguf"))
    assert files_of(path.parent, "tiny.gguf") == [path]


def test_without_the_packages_the_message_says_what_to_install(written, tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "find_spec", lambda name: None)
    with pytest.raises(SourceError, match="pip install gguf accelerate; or make gguf"):
        fetch(source(written[0]), tmp_path / "into")
