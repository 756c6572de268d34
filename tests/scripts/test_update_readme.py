"""The pages of docs/ and the README say what the tables in docs/data/ say."""

import shutil
import subprocess
import sys

import pytest

from paths import ROOT
from textualization.report.csv_tables import read_csv, write_csv
from workflow import copy_of_the_project, environment


@pytest.fixture
def project(tmp_path):
    copy_of_the_project(tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copyfile(ROOT / "README.md", tmp_path / "README.md")
    return tmp_path


def pages(project):
    paths = [project / "README.md", *(project / "docs").rglob("*.md")]
    return {str(p.relative_to(project)): p.read_text(encoding="utf-8") for p in paths}


def update(project):
    command = [sys.executable, "scripts/commands/update_readme.py"]
    paths = environment(project, PYTHONPATH="src")
    return subprocess.run(command, cwd=project, env=paths, capture_output=True, text=True)


def test_the_pages_are_those_of_the_tables(project):
    before = pages(project)
    done = update(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert pages(project) == before


def test_other_numbers_change_the_pages_and_contradict_a_sentence(project):
    path = project / "docs/data/mpnet/claims.csv"
    claims = read_csv(path)
    named = claims["claim"] == "group.threshold.absolute.67"
    own = claims.index[named & claims["null_model"].isna()]
    claims.loc[own, ["value", "ci_low", "ci_high"]] = [151.0, 140.0, 160.0]
    write_csv(claims, path)
    before = pages(project)
    done = update(project)
    changed = {page for page, text in pages(project).items() if text != before[page]}
    assert changed == {"README.md", "docs/results.md", "docs/architectures.md"}
    assert "| 151 [140, 160] |" in (project / "README.md").read_text(encoding="utf-8")
    assert done.returncode == 1
    assert "the sentence 'Groups recover their words in both encoders" in done.stderr
