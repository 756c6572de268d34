"""Where a study runs: in any folder, with its own environment, and as a part of another workflow."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import yaml

from workflow import copy_of_the_project, environment, read_settings

WORKFLOW = """
configfile: "settings.yaml"

module textualization:
    snakefile: {snakefile!r}
    config: config["textualization"]
    prefix: "bert"

use rule * from textualization as textualization_*

rule count_words:
    default_target: True
    input:
        "bert/{targets}",
    output:
        "words.txt",
    shell:
        "ls {{input}} > {{output}}"

rule everything:
    input:
        rules.textualization_all.input,
"""
TARGETS = "results/test/tiny-deep/targets.parquet"


def own_environment(folder: Path) -> Path:
    """Make the .venv of a folder, with the packages of this one; return its interpreter."""
    packages = sysconfig.get_path("purelib")
    command = [sys.executable, "-m", "venv", "--without-pip", str(folder / ".venv")]
    subprocess.run(command, check=True)
    (here,) = (folder / ".venv/lib").glob("python*/site-packages")
    (here / "packages.pth").write_text(packages + "\n", encoding="utf-8")
    return folder / ".venv/bin/python"


def run(python, folder, *words) -> subprocess.CompletedProcess:
    command = [python, "-m", "snakemake", "--cores", "2", *words]
    return subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True
    )


def test_a_checkout_may_be_in_a_folder_with_blanks_and_brackets(tmp_path):
    folder = copy_of_the_project(tmp_path / "my study (v2) & it's Jürgen's")
    python = own_environment(folder)
    done = run(python, folder, "--configfile", "config/test.yaml", "--", TARGETS)
    assert done.returncode == 0, done.stderr[-4000:]
    assert (folder / TARGETS).is_file()


def test_an_environment_elsewhere_may_be_in_such_a_folder_too(tmp_path):
    elsewhere = tmp_path / "my (own) environments"
    elsewhere.mkdir()
    folder, python = copy_of_the_project(tmp_path / "project"), own_environment(elsewhere)
    done = run(python, folder, "--configfile", "config/test.yaml", "--", TARGETS)
    assert done.returncode == 0, done.stderr[-4000:]
    assert (folder / TARGETS).is_file()


def test_another_workflow_uses_this_one_as_a_module(tmp_path):
    project, outer = copy_of_the_project(tmp_path / "project"), tmp_path / "outer"
    outer.mkdir()
    settings = read_settings(project)
    settings["words"]["targets"] = str(project / settings["words"]["targets"])
    for model in settings["catalogue"].values():
        model["path"] = str(project / model["path"])
    (outer / "settings.yaml").write_text(
        yaml.safe_dump({"textualization": settings, "own": 1}), encoding="utf-8"
    )
    (outer / "Snakefile").write_text(
        WORKFLOW.format(snakefile=str(project / "Snakefile"), targets=TARGETS), encoding="utf-8"
    )
    done = run(sys.executable, outer)
    assert done.returncode == 0, done.stderr[-4000:]
    assert (outer / "words.txt").read_text(encoding="utf-8") == f"bert/{TARGETS}\n"
    assert {path.name for path in outer.iterdir()} >= {"bert"}
    # The whole study can be planned, with the default settings that are not given.
    done = run(sys.executable, outer, "--dry-run", "--quiet", "rules", "--", "everything")
    assert done.returncode == 0, done.stderr[-4000:]
    assert "textualization_write_claims" in done.stdout + done.stderr
    settings["ascent"]["steps"] = 3
    (outer / "settings.yaml").write_text(
        yaml.safe_dump({"textualization": settings}), encoding="utf-8"
    )
    done = run(sys.executable, outer, "--dry-run")
    assert done.returncode != 0 and "ascent: unknown key 'steps'" in done.stderr + done.stdout
