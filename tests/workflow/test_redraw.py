"""The published figures drawn again from docs/data/, by the rules of the workflow."""

import shutil
import subprocess
import sys

import matplotlib.image
import numpy as np
import pytest

from paths import ROOT
from study.published.frozen import write_manifest
from textualization.report.csv_tables import read_csv, write_csv
from workflow import copy_of_the_project, environment

pytestmark = pytest.mark.workflow

#: Pixels of a figure that may differ: other versions of matplotlib and FreeType set text otherwise.
DIFFERENT, SHARE = 0.2, 0.05


@pytest.fixture
def project(tmp_path):
    copy_of_the_project(tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    return tmp_path


def redraw(project, study):
    command = [sys.executable, "scripts/commands/redraw_figures.py", study]
    paths = environment(project, PYTHONPATH="src")
    done = subprocess.run(command, cwd=project, env=paths, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_figures_of_a_study_are_drawn_again(project):
    before = {path: path.read_bytes() for path in (project / "docs").rglob("*.*")}
    said = redraw(project, "mpnet")
    for name in ("recovery", "nulls", "explanation", "thresholds"):
        again = project / f"results/redrawn-mpnet/mpnet-base/figures/{name}.png"
        assert f"{again.relative_to(project)}: as in docs/" in said
        ours, published = map(matplotlib.image.imread, (again, ROOT / f"docs/mpnet/{name}.png"))
        assert ours.shape == published.shape
        assert (np.abs(ours - published).max(axis=-1) > DIFFERENT).mean() < SHARE
    assert {path: path.read_bytes() for path in (project / "docs").rglob("*.*")} == before


def test_other_numbers_give_another_figure_and_are_named(project):
    frozen = project / "docs/data/basis"
    table = frozen / "minilm-l6/experiments/basis/numbers.csv"
    numbers = read_csv(table)
    numbers.loc[0, ["value", "ci_low", "ci_high"]] = 0.5
    write_csv(numbers, table)
    write_manifest(frozen)
    assert "figure.png: not as docs/figures/basis.txt says" in redraw(project, "basis")
