"""Damaged files, models with faults, full disks: a clear error, and in the end the same study."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file, save_file

import preloaded
from hub import Hub, served
from scripts.commands import ask
from textualization.files import sha256
from workflow import (
    COMMAND,
    copy_of_the_project,
    environment,
    files,
    jobs_to_run,
    read_settings,
    snakemake,
    write_settings,
)

pytestmark = pytest.mark.campaign

OF_MODEL = "results/test/tiny-deep"
#: One file of each kind that a job reads of another's, and how it is damaged.
DAMAGES = {
    "results/_models/tiny-deep-*/frozen.safetensors": "bit",
    f"{OF_MODEL}/vocabulary.parquet": "cut",
    f"{OF_MODEL}/candidates.parquet": "bit",
    f"{OF_MODEL}/activations/output.npy": "bit",
    f"{OF_MODEL}/ascent/singles/*.safetensors": "cut",
    f"{OF_MODEL}/groups_embeddings.npy": "cut",
    f"{OF_MODEL}/tables/recovery.csv": "bit",
    f"{OF_MODEL}/atlas.json.gz": "cut",
}


def in_normal_view(text: str) -> str:
    assert "Traceback" not in text, text[-4000:]
    return text


def damage(path, kind) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    if kind == "bit":
        content[middle] ^= 4
    path.write_bytes(content[:middle] if kind == "cut" else content)


@pytest.mark.parametrize(("pattern", "kind"), DAMAGES.items())
def test_a_damaged_file_is_named_and_not_read(undisturbed, tmp_path, pattern, kind):
    folder = shutil.copytree(undisturbed, tmp_path / "project")
    path = min(folder.glob(pattern))
    damage(path, kind)
    name = str(path.relative_to(folder))
    text = in_normal_view(snakemake(folder, fails=True))
    assert f"wrong checksum (truncated, changed, or damaged by the disk): {name}" in text
    assert f"rm {name}, then run snakemake again" in text


def test_after_what_the_message_says_the_study_is_the_same(undisturbed, tmp_path):
    before = files(undisturbed)
    folder = shutil.copytree(undisturbed, tmp_path / "project")
    path = folder / OF_MODEL / "groups.parquet"
    damage(path, "bit")
    snakemake(folder, fails=True)
    path.unlink()
    snakemake(folder)
    assert files(folder) == before


def test_what_ask_needs_and_is_gone_is_made_by_what_it_says(undisturbed, tmp_path, capsys):
    folder = shutil.copytree(undisturbed, tmp_path / "project")
    name = f"{OF_MODEL}/activations/output.npy"
    (folder / name).unlink()
    words = ["--neuron", "output/1/0", "--fresh", "--study", "results/test"]
    with contextlib.chdir(folder):
        assert ask.main(words) == 2
    told = capsys.readouterr().err
    assert f"{name} is missing" in told and f"followed by `-- {name}`" in told
    snakemake(folder, "--configfile", "config/test.yaml", "--", name, overlay=None)
    with contextlib.chdir(folder):
        assert ask.main(words) == 0
    assert "ascended now" in capsys.readouterr().out


def test_a_study_that_nothing_is_remembered_of_is_not_taken_for_another(undisturbed, tmp_path):
    folder = shutil.copytree(undisturbed, tmp_path / "project")
    shutil.rmtree(folder / ".snakemake")
    text = in_normal_view(snakemake(folder, "--dry-run", "--config", "seed=7", fails=True))
    assert "results/test was made with other settings (seed)" in text
    command = [sys.executable, "scripts/commands/verify.py", "results/test", "--configfile"]
    command += ["config/test.yaml", "--config", "seed=7"]
    variables = environment(folder, PYTHONPATH="src")
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    assert done.returncode == 1 and "was made with other settings (seed)" in done.stderr
    assert jobs_to_run(folder) == {}


@pytest.fixture
def small_disk(tmp_path):
    """The project, its results on a disk of their own, and a function that sets what it holds (KiB)."""
    folder = copy_of_the_project(tmp_path / "project")
    results = folder / "results"
    results.mkdir()

    def mount(options):
        return subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(results)], capture_output=True
        )

    if mount("size=64k").returncode:
        pytest.skip("a small disk can be made by root alone")
    yield folder, lambda options: mount(f"remount,{options}").check_returncode()
    subprocess.run(["umount", "--lazy", str(results)], check=True)


def test_a_disk_that_is_full_at_every_stage_says_so_and_the_study_goes_on(undisturbed, small_disk):
    folder, resize = small_disk
    command, full, size = [preloaded.python(), *COMMAND[1:]], 0, 64
    while True:
        done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True)
        if not done.returncode:
            break
        text = in_normal_view((done.stdout + done.stderr).decode())
        assert "No space left on device" in text, text[-4000:]
        full, size = full + 1, size * 2
        resize(f"size={size}k")
    assert full >= 5
    assert files(folder) == files(undisturbed)


def test_results_that_cannot_be_written_are_named(small_disk):
    folder, resize = small_disk
    resize("ro")
    text = in_normal_view(snakemake(folder, fails=True))
    assert "Read-only file system" in text and "results" in text


def spoiled(folder, fault) -> None:
    """A model folder with something wrong in it."""
    weights, tokenizer = folder / "model.safetensors", folder / "tokenizer.json"
    tensors = load_file(weights)
    if fault == "cut short":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif fault == "not a number":
        name = next(name for name in tensors if name.endswith("word_embeddings.weight"))
        tensors[name][3, 3] = float("nan")
        save_file(tensors, weights)
    elif fault == "a tensor less":
        del tensors[next(name for name in tensors if "layer.1.output.dense.weight" in name)]
        save_file(tensors, weights)
    elif fault == "a pickle":
        torch.save({"a": torch.ones(2)}, folder / "pytorch_model.bin")
        weights.unlink()
    elif fault == "a pickle by another name":
        torch.save({"a": torch.ones(2)}, weights)
    else:
        contents = json.loads(tokenizer.read_text(encoding="utf-8"))
        vocabulary = contents["model"]["vocab"]
        # Fewer are no fault: rows of E that no entry names are padding.
        vocabulary["onemore"] = len(vocabulary)
        tokenizer.write_text(json.dumps(contents), encoding="utf-8")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("cut short", "model.safetensors"),
        ("not a number", "not all finite"),
        ("a tensor less", "layer.1.output.dense.weight"),
        ("a pickle", "has no model.safetensors"),
        ("a pickle by another name", "model.safetensors"),
        ("another vocabulary", "tokenizer"),
    ],
)
def test_a_model_with_a_fault_is_refused_in_a_line(tmp_path, fault, says):
    folder = copy_of_the_project(tmp_path)
    spoiled(folder / "tests/data/tiny-deep", fault)
    weights = folder / "tests/data/tiny-deep/model.safetensors"
    settings = read_settings(folder)
    if weights.is_file():  # the checksum would tell of it, and is asked for what came
        settings["catalogue"]["tiny-deep"]["sha256"] = sha256(weights)
    write_settings(folder, settings)
    text = in_normal_view(snakemake(folder, "--until", "list_vocabulary", fails=True))
    told = [line for line in text.splitlines() if says in line and "input:" not in line]
    assert told, text[-4000:]
    assert not list(folder.glob("results/test/*/ascent/**/*.safetensors"))


@pytest.fixture
def from_a_hub(tmp_path):
    """The project with its model on a hub, and that hub, whose connections break."""
    folder = copy_of_the_project(tmp_path)
    settings = read_settings(folder)
    entry = settings["catalogue"]["tiny-deep"]
    hub = Hub(folder / entry.pop("path"), "some-lab/tiny-deep", revision="a" * 40)
    entry |= {"source": "hub", "repository": "some-lab/tiny-deep", "revision": hub.revision}
    write_settings(folder, settings)
    with served(hub) as address:
        yield folder, hub, address


def by_name_of_the_model(found) -> dict[str, bytes]:
    """The files, their models' folders without the part that says where a model comes from."""
    return {re.sub(r"^(_models/[^/]+)-[0-9a-f]{8}/", r"\1/", path): found[path] for path in found}


def weights_in(folder) -> list:
    return list(folder.glob("results/_models/*/*model*"))


def test_a_hub_that_cannot_be_reached_is_named(from_a_hub):
    folder, *_ = from_a_hub
    text = in_normal_view(snakemake(folder, fails=True, HF_ENDPOINT="http://127.0.0.1:9"))
    assert "model.safetensors of some-lab/tiny-deep@aaaa" in text and "HF_ENDPOINT" in text
    assert not weights_in(folder)


def test_a_download_that_breaks_or_is_killed_leaves_no_model_behind(undisturbed, from_a_hub):
    folder, hub, address = from_a_hub
    hub.cuts = 10_000
    text = in_normal_view(snakemake(folder, fails=True, HF_ENDPOINT=address))
    assert "model.safetensors of some-lab/tiny-deep@aaaa" in text and "Ways out: " in text
    assert hub.asked > 1 and not weights_in(folder)

    hub.asked = 0
    hub.still.set()
    variables = environment(folder, HF_ENDPOINT=address)
    run = subprocess.Popen(COMMAND, cwd=folder, env=variables, start_new_session=True)
    while not hub.asked:
        assert run.poll() is None
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait(60)
    hub.still.clear()
    assert not weights_in(folder)
    snakemake(folder, "--unlock")

    hub.asked, hub.cuts = 0, 2  # the client asks again by itself
    snakemake(folder, "--until", "convert_model", HF_ENDPOINT=address)
    assert hub.asked == 3
    found, whole = (by_name_of_the_model(files(study)) for study in (folder, undisturbed))
    assert "_models/tiny-deep/frozen.safetensors" in found
    of_model = {path for path in whole if path.startswith("_models/") and "/nulls/" not in path}
    assert set(found) == of_model
    assert [path for path in found if found[path] != whole[path]] == []
