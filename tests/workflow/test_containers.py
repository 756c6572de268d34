"""The image, as far as one can check without an engine: its files, install lines, the study in it."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from paths import ROOT
from workflow import snakemake


def docker():
    """(instruction, words) of every line of the Dockerfile."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    return [tuple(line.split(" ", 1)) for line in text.splitlines() if line.strip()]


def copies():
    """(source, place in /study) of every file or folder that the Dockerfile copies."""
    for instruction, rest in docker():
        if instruction == "COPY":
            *sources, place = rest.split()
            for source in sources:
                yield source, source if place == "./" else place


def installs():
    """The shell lines that the Dockerfile runs."""
    return [rest for instruction, rest in docker() if instruction == "RUN"]


@pytest.fixture
def image(tmp_path):
    """What /study is in the image, but for the packages."""
    folder = tmp_path / "image"
    folder.mkdir()
    for source, place in copies():
        source = ROOT / source
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / place)
    return folder


def section(name):
    """The lines of a section of Apptainer.def."""
    text = (ROOT / "Apptainer.def").read_text()
    found = re.search(rf"^%{name}\n(.*?)(?=^%|\Z)", text, flags=re.MULTILINE | re.DOTALL)
    return [line.strip() for line in found[1].splitlines() if line.strip()]


def test_every_copied_file_exists_and_is_not_kept_from_the_engine():
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert len(list(copies())) > 10
    for source, _ in copies():
        assert (ROOT / source).exists(), source
        assert source not in ignored


def test_both_definitions_make_the_same_image():
    text = (ROOT / "Apptainer.def").read_text()
    [(_, base)] = [line for line in docker() if line[0] == "FROM"]
    assert f"From: {base}\n" in text
    pairs = [tuple(line.split()) for line in section("files")]
    assert sorted(pairs) == sorted((s, f"/study/{place}") for s, place in copies())
    assert section("post") == ["cd /study", *installs()]
    entry = json.loads(dict(docker())["ENTRYPOINT"])
    assert section("runscript") == ["cd /study", f'exec {shlex.join(entry)} "$@"']


def test_the_image_has_the_python_of_the_environments():
    base = dict(docker())["FROM"]
    version = re.match(r"python:([\d.]+)-slim", base)[1]
    for path in (ROOT / "envs").glob("*.yaml"):
        assert f"- python={version}\n" in path.read_text()


def test_the_study_can_be_planned_from_what_the_image_holds(image):
    """Everything that the rules, profiles and settings name is there, the paper's study too."""
    for words in (
        [],
        ["--configfile", "config/paper.yaml"],
        ["--workflow-profile", "profiles/slurm"],
    ):
        snakemake(image, "--dry-run", "--quiet", "all", *words, overlay=None)


@pytest.mark.campaign
def test_the_install_lines_run_in_a_clean_environment(image, tmp_path):
    """And the command that the image runs is there afterwards, with every import of the scripts."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "clean"], check=True)
    path = f"{tmp_path}/clean/bin:{os.environ['PATH']}"
    for line in installs():
        subprocess.run(["sh", "-ec", line], cwd=image, env={**os.environ, "PATH": path}, check=True)
    assert (image / "results").is_dir() and (image / ".snakemake").is_dir()
    command = ["snakemake", "--cores", "1", "--dry-run", "--quiet", "all"]
    done = subprocess.run(
        command, cwd=image, env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    code = (
        "import torch, transformers, pandas, scipy, statsmodels, matplotlib; print(torch.__file__)"
    )
    done = subprocess.run(
        [tmp_path / "clean/bin/python", "-I", "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(tmp_path) in done.stdout
