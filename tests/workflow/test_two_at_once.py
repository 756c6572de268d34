"""Two workflows on one folder at a time."""

import subprocess
import sys
import time

import pytest

import preloaded
from workflow import COMMAND, copy_of_the_project, environment, files, snakemake

pytestmark = pytest.mark.campaign


def results(found):
    """Without the checksums: those name a linked file where it lies."""
    return {path: content for path, content in found.items() if ".sha256" not in path}


def started(folder, *words, python=sys.executable, **variables):
    return subprocess.Popen(
        [python, *COMMAND[1:], *words],
        cwd=folder,
        env=environment(folder, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(run) -> str:
    text, _ = run.communicate()
    assert run.returncode == 0, text[-4000:]
    return text


def refused(text):
    assert "Directory cannot be locked" in text
    assert "Traceback" not in text


def test_the_second_of_one_study_is_refused_and_does_no_harm(undisturbed, tmp_path):
    folder = copy_of_the_project(tmp_path)
    first = started(folder, "--until", "describe_singles")
    while not list(folder.glob(".snakemake/locks/*")):
        assert first.poll() is None
        time.sleep(0.05)
    refused(snakemake(folder, fails=True, python=sys.executable))
    ended(first)
    found, whole = files(folder), files(undisturbed)
    assert "test/tiny-deep/singles.parquet" in found
    assert [path for path in found if found[path] != whole[path]] == []


def test_two_studies_side_by_side_are_what_each_is_alone(undisturbed, tmp_path):
    folder = copy_of_the_project(tmp_path)
    # While one brings the model that both read, the other is refused.
    left = started(folder, "--config", "study=left")
    while not list(folder.glob(".snakemake/locks/*")):
        assert left.poll() is None
        time.sleep(0.05)
    right = ("--config", "study=right")
    refused(snakemake(folder, *right, fails=True, python=sys.executable))
    left.terminate()
    left.communicate()
    # Where that is there, both go on at once.
    whole = files(undisturbed)
    shared = [f"results/{path}" for path in results(whole) if path.startswith("_models/")]
    snakemake(folder, *(path for path in shared if path.endswith(".safetensors")))
    names, fast = ("left", "right"), preloaded.python()
    runs = [
        started(folder, "--config", f"study={n}", "--", f"results/{n}/claims.csv", python=fast)
        for n in names
    ]
    for run in runs:
        ended(run)
    found = files(folder)
    for name in names:
        of_study = {p: c for p, c in found.items() if p.startswith(f"{name}/tiny-deep/")}
        assert {f"{name}/tiny-deep/{of}.parquet" for of in ("singles", "groups")} < set(of_study)
        assert f"{name}/tiny-deep/tables/recovery.csv" in of_study
        alone = {p: whole[p.replace(f"{name}/", "test/", 1)] for p in of_study}
        assert [path for path in alone if of_study[path] != alone[path]] == []


def test_two_checkouts_fetch_one_model_into_one_cache(undisturbed, tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    folders = [copy_of_the_project(tmp_path / name) for name in ("first", "second")]
    words = ("--until", "word_activations", "--cache")
    runs = [started(folder, *words, SNAKEMAKE_OUTPUT_CACHE=str(cache)) for folder in folders]
    for run in runs:
        ended(run)
    one, other = (results(files(folder)) for folder in folders)
    whole = results(files(undisturbed))
    assert one == other and "test/tiny-deep/activations/output.npy" in one
    assert [path for path in one if one[path] != whole[path]] == []
