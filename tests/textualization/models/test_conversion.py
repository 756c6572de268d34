"""Checkpoints of all kinds: the same tensors, or a refusal that names what is wrong."""

import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from paths import DATA
from scripts.model import convert_model
from scripts.nulls import derive_null
from study.config.variables import MOST_FREE
from textualization.models.architecture import Architecture
from textualization.models.conversion import TOKENS, CheckpointError, convert
from textualization.models.sources import folder_name

TINY = DATA / "tiny-wide"

# What stands for what, written out: the name here, the name in the file.
NAMES = {
    "word_embeddings": "embeddings.word_embeddings.weight",
    "position_embeddings": "embeddings.position_embeddings.weight",
    "embedding_norm.gain": "embeddings.LayerNorm.weight",
    "embedding_norm.bias": "embeddings.LayerNorm.bias",
    "block.1.query.weight": "encoder.layer.0.attention.self.query.weight",
    "block.1.query.bias": "encoder.layer.0.attention.self.query.bias",
    "block.1.key.weight": "encoder.layer.0.attention.self.key.weight",
    "block.2.key.bias": "encoder.layer.1.attention.self.key.bias",
    "block.2.value.weight": "encoder.layer.1.attention.self.value.weight",
    "block.1.value.bias": "encoder.layer.0.attention.self.value.bias",
    "block.1.attention_output.weight": "encoder.layer.0.attention.output.dense.weight",
    "block.2.attention_output.bias": "encoder.layer.1.attention.output.dense.bias",
    "block.1.attention_norm.gain": "encoder.layer.0.attention.output.LayerNorm.weight",
    "block.2.attention_norm.bias": "encoder.layer.1.attention.output.LayerNorm.bias",
    "block.2.intermediate.weight": "encoder.layer.1.intermediate.dense.weight",
    "block.1.intermediate.bias": "encoder.layer.0.intermediate.dense.bias",
    "block.1.output.weight": "encoder.layer.0.output.dense.weight",
    "block.2.output.bias": "encoder.layer.1.output.dense.bias",
    "block.2.output_norm.gain": "encoder.layer.1.output.LayerNorm.weight",
    "block.1.output_norm.bias": "encoder.layer.0.output.LayerNorm.bias",
}
LOST = "encoder.layer.1.output.LayerNorm.bias"


@pytest.fixture(scope="module")
def weights():
    torch.set_num_threads(1)
    return load_file(TINY / "model.safetensors")


@pytest.fixture(scope="module")
def frozen():
    return convert(TINY)


def checkpoint(folder, weights, **config):
    """A model's folder with these weights, and the tiny model's config but for `config`."""
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    settings = json.loads((TINY / "config.json").read_text()) | config
    (folder / "config.json").write_text(json.dumps(settings))
    shutil.copy(TINY / "tokenizer.json", folder)
    return folder


def test_as_many_positions_may_be_free_as_a_frozen_model_knows_between_its_special_tokens():
    assert MOST_FREE == TOKENS - 2


def test_every_tensor_is_the_files_under_its_new_name(frozen, weights):
    tensors, _ = frozen
    for ours, theirs in NAMES.items():
        assert torch.equal(tensors[ours], weights[theirs]), ours
    types = weights["embeddings.token_type_embeddings.weight"]
    assert torch.equal(tensors["type_embedding"], types[0])
    # Five of the embeddings; per block six linear maps and two norms of two tensors each.
    assert len(tensors) == 5 + 2 * (6 + 2) * 2
    # Nothing is read twice: all tensors differ from one another.
    assert len({tuple(t.flatten().tolist()) for t in tensors.values()}) == len(tensors)
    assert all(t.is_contiguous() and t.dtype == torch.float32 for t in tensors.values())


def test_facts_are_those_of_the_config_as_text(frozen):
    assert frozen[1] == {
        "layers": "2",
        "hidden": "24",
        "intermediate": "48",
        "words": "400",
        "heads": "4",
        "epsilon": "1e-12",
        "activation": "gelu",
        "initializer_range": "0.1",
        "padding": "0",
        "before": "2",
        "after": "3",
        "kv_heads": "0",
        "head_size": "0",
        "normalisation": "layer",
        "order": "post",
        "causal": "false",
        "scaled": "true",
        "first_position": "0",
        "blocks": "[]",
        "initial": "[]",
        "cutoff": "0.0",
    }


def test_the_same_checkpoint_gives_the_same_bytes_and_the_same_facts(tmp_path, frozen):
    shape = {"layers": 2, "hidden": 24}
    paths = [str(tmp_path / f"{name}.safetensors") for name in "abc"]
    convert_model.main(str(TINY / "model.safetensors"), "bert", shape, paths[0])
    with safe_open(paths[0], framework="pt") as file:
        assert Architecture.read(file.metadata()).facts() == frozen[1]
    for derived in paths[1:]:
        derive_null.main(paths[0], "permuted", 1, 0, derived)
    assert Path(paths[1]).read_bytes() == Path(paths[2]).read_bytes()
    convert_model.main(str(TINY / "model.safetensors"), "bert", shape, paths[1])
    assert Path(paths[0]).read_bytes() == Path(paths[1]).read_bytes()


@pytest.mark.parametrize(("entry", "padding"), [(0, "0"), (7, "7"), (None, "-1")])
def test_the_initialisation_is_the_configs_and_without_a_padding_entry_minus_one(
    tmp_path, weights, entry, padding
):
    folder = checkpoint(tmp_path, weights, pad_token_id=entry, initializer_range=0.0125)
    facts = convert(folder)[1]
    assert (facts["initializer_range"], facts["padding"]) == ("0.0125", padding)


def test_the_old_names_of_the_first_bert_give_the_same_tensors(tmp_path, frozen, weights):
    # bert-base-uncased: `bert.` before each name, gamma and beta, a pooler and pre-training heads.
    old = {}
    for name, tensor in weights.items():
        if "LayerNorm" in name:
            name = name.replace(".weight", ".gamma").replace(".bias", ".beta")
        old[f"bert.{name}"] = tensor
    old["bert.pooler.dense.weight"] = torch.zeros(24, 24)
    old["bert.pooler.dense.bias"] = torch.zeros(24)
    old["cls.predictions.bias"] = torch.zeros(400)
    old["cls.predictions.transform.LayerNorm.gamma"] = torch.zeros(24)
    old["cls.seq_relationship.weight"] = torch.zeros(2, 24)
    tensors, facts = convert(checkpoint(tmp_path, old, architectures=["BertForMaskedLM"]))
    assert facts == frozen[1]
    assert tensors.keys() == frozen[0].keys()
    assert all(torch.equal(tensors[name], frozen[0][name]) for name in tensors)


def test_half_precision_is_widened_and_not_rounded_again(tmp_path, weights):
    half = {name: tensor.half() for name, tensor in weights.items()}
    tensors, _ = convert(checkpoint(tmp_path, half, dtype="float16"))
    for ours, theirs in NAMES.items():
        assert tensors[ours].dtype == torch.float32
        assert torch.equal(tensors[ours], half[theirs].float())


def test_a_missing_tensor_is_named_and_not_drawn_at_random(tmp_path, weights):
    some = {name: tensor for name, tensor in weights.items() if name != LOST}
    with pytest.raises(CheckpointError) as error:
        convert(checkpoint(tmp_path, some))
    assert str(error.value) == f"{tmp_path}: the checkpoint lacks {LOST}"


def test_a_checkpoint_with_fewer_blocks_than_its_config_says_lacks_them(tmp_path, weights):
    with pytest.raises(CheckpointError, match=r"lacks encoder\.layer\.2\.") as error:
        convert(checkpoint(tmp_path, weights, num_hidden_layers=3))
    assert str(error.value).count("encoder.layer.2.") == 5  # the first few of sixteen


def test_a_checkpoint_with_more_blocks_than_its_config_says_is_refused(tmp_path, weights):
    with pytest.raises(
        CheckpointError, match=r"config.json does not account for: encoder\.layer\.1\."
    ):
        convert(checkpoint(tmp_path, weights, num_hidden_layers=1))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_tensor_that_is_not_finite_is_named(tmp_path, weights, value):
    broken = weights["encoder.layer.1.intermediate.dense.bias"].clone()
    broken[3] = value
    damaged = weights | {"encoder.layer.1.intermediate.dense.bias": broken}
    with pytest.raises(CheckpointError, match=r"not all finite: block\.2\.intermediate\.bias$"):
        convert(checkpoint(tmp_path, damaged))


def test_a_tensor_of_another_shape_than_the_configs_is_named(tmp_path, weights):
    cut = weights | {"encoder.layer.0.output.dense.bias": torch.zeros(7)}
    with pytest.raises(CheckpointError, match=r"shape .*: encoder\.layer\.0\.output\.dense\.bias$"):
        convert(checkpoint(tmp_path, cut))


@pytest.mark.parametrize("family", ["roberta", "distilbert", "gpt2"])
def test_another_family_is_refused_by_name(tmp_path, weights, family):
    with pytest.raises(
        CheckpointError, match=rf"'{family}' does not belong to the family 'bert' .*types: bert\)$"
    ):
        convert(checkpoint(tmp_path, weights, model_type=family))


def test_a_family_that_nobody_knows_is_refused_by_name(tmp_path, weights):
    with pytest.raises(ValueError, match="`nonesuch`"):
        convert(checkpoint(tmp_path, weights, model_type="nonesuch"))


def test_a_folder_without_a_tokenizer_is_named(tmp_path, weights):
    folder = checkpoint(tmp_path, weights)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(CheckpointError, match=r"tokenizer\.json: cannot be read"):
        convert(folder)


def test_a_tokenizer_without_the_entries_around_a_word_is_named(tmp_path, weights):
    folder = checkpoint(tmp_path, weights)
    text = (folder / "tokenizer.json").read_text(encoding="utf-8")
    (folder / "tokenizer.json").write_text(text.replace("[CLS]", "[FIRST]"), encoding="utf-8")
    with pytest.raises(CheckpointError, match=rf"{tmp_path}: the tokenizer has no entry '\[CLS\]'"):
        convert(folder)


class Trap:
    """Whoever unpickles it creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_is_refused_and_not_opened(tmp_path):
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(TINY / name, tmp_path)
    trap = tmp_path / "sprung"
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(trap)))
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        convert(tmp_path)
    assert not trap.exists()


def test_code_that_comes_with_a_model_is_not_run_even_if_someone_says_yes(
    tmp_path, weights, monkeypatch
):
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    folder = checkpoint(
        tmp_path,
        weights,
        model_type="homemade",
        auto_map={"AutoConfig": "modeling.Config", "AutoModel": "modeling.Model"},
    )
    trap = tmp_path / "sprung"
    (folder / "modeling.py").write_text(f"open({str(trap)!r}, 'w')\n")
    with pytest.raises(CheckpointError, match="code that comes with the model, which is never run"):
        convert(folder)
    assert not trap.exists()


def test_each_frame_of_a_model_is_converted_in_a_folder_of_its_own():
    entry = {"source": "path", "path": "somewhere", "sha256": "0" * 64}
    around = {"before": "<s>", "after": None}
    frames = [around, dict(reversed(around.items())), {"before": None}]
    names = [folder_name("mine", entry | {"frame": frame}) for frame in frames]
    assert names[0] == names[1] and len({*names, folder_name("mine", entry)}) == 3
    # As it was before there were frames: nothing is converted again.
    assert folder_name("mine", entry) == "mine-171b4d7e"


def test_code_that_stands_for_the_model_is_not_passed_over(tmp_path, weights):
    """Its forward pass is not that of transformers, whatever the model type says."""
    own = {"AutoModel": "some-lab/implementation--modeling.Model"}
    with pytest.raises(CheckpointError, match=r"code that comes .* never run \(auto_map\)"):
        convert(checkpoint(tmp_path, weights, auto_map=own))
    head = {"AutoModelForSequenceClassification": "some-lab/implementation--modeling.Head"}
    assert convert(checkpoint(tmp_path, weights, auto_map=head))[1] == convert(TINY)[1]


@pytest.mark.parametrize(
    ("text", "says"),
    [("[1]", "config.json is not an object"), ("{", "JSONDecodeError"), (None, "config.json")],
)
def test_a_config_that_is_no_config_is_refused_in_a_line(tmp_path, weights, text, says):
    folder = checkpoint(tmp_path, weights)
    (folder / "config.json").unlink()
    if text:
        (folder / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match=says) as error:
        convert(folder)
    assert str(error.value).startswith(f"{folder}: ") and "\n" not in str(error.value)


def test_a_field_of_the_wrong_type_is_named_with_its_value(tmp_path, weights):
    with pytest.raises(CheckpointError, match="'num_hidden_layers'.*'two'"):
        convert(checkpoint(tmp_path, weights, num_hidden_layers="two"))


@pytest.mark.parametrize("key", ["attn_implementation", "_attn_implementation"])
def test_a_config_does_not_choose_the_code_of_attention(tmp_path, weights, key):
    found, facts = convert(checkpoint(tmp_path, weights, **{key: "stranger/kernels"}))
    expected, _ = convert(TINY)
    assert set(found) == set(expected) and facts["heads"] == convert(TINY)[1]["heads"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"quantization_config": {"quant_method": "bitsandbytes"}}, "quantized weights"),
        ({"num_attention_heads": -4}, "-4 attention heads cannot share"),
        ({"hidden_act": "os.system"}, r"transformers cannot read it \(\w+: .*os\.system"),
    ],
)
def test_a_config_that_cannot_be_meant_is_refused_in_a_line(tmp_path, weights, changes, says):
    folder = checkpoint(tmp_path, weights, **changes)
    with pytest.raises(CheckpointError, match=says) as error:
        convert(folder)
    assert str(error.value).startswith(f"{folder}: ") and "\n" not in str(error.value)
