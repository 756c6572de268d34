"""The published figures drawn again from docs/data/, by the rules of the workflow."""

import shutil
import subprocess

import matplotlib.image
import numpy as np
import pytest

import preloaded
from paths import ROOT
from study.published.frozen import read_published, sources, write_manifest
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


def redraw(project, *studies):
    command = [preloaded.python(), "scripts/commands/redraw_figures.py", *studies]
    paths = environment(project, PYTHONPATH="src")
    done = subprocess.run(command, cwd=project, env=paths, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def look_alike(*paths):
    ours, published = map(matplotlib.image.imread, paths)
    assert ours.shape == published.shape
    assert (np.abs(ours - published).max(axis=-1) > DIFFERENT).mean() < SHARE, paths


def test_the_figures_of_a_study_are_drawn_again(project):
    before = {path: path.read_bytes() for path in (project / "docs").rglob("*.*")}
    said = redraw(project, "mpnet")
    for name in ("recovery", "nulls", "explanation", "thresholds"):
        again = f"results/redrawn-mpnet/mpnet-base/figures/{name}.png"
        assert f"{again}: as in docs/" in said
        look_alike(project / again, ROOT / f"docs/mpnet/{name}.png")
    assert {path: path.read_bytes() for path in (project / "docs").rglob("*.*")} == before


@pytest.mark.campaign
def test_every_published_figure_is_drawn_again_as_it_is(project):
    everything = read_published(ROOT / "docs/published.yaml")
    of_study = {published.study: published for published in everything}
    said = redraw(project)
    assert said.count(": as in docs/") == said.count(".png:") >= 20
    for name, study in sources(everything, ROOT / "docs/data").items():
        place = of_study[study].figures[name]
        look_alike(project / f"results/redrawn-{study}/{place}.png", ROOT / f"docs/{name}.png")


def test_other_numbers_give_another_figure_and_are_named(project):
    frozen = project / "docs/data/basis"
    table = frozen / "minilm-l6/experiments/basis/numbers.csv"
    numbers = read_csv(table)
    numbers.loc[0, ["value", "ci_low", "ci_high"]] = 0.5
    write_csv(numbers, table)
    write_manifest(frozen)
    assert "figure.png: not as docs/figures/basis.txt says" in redraw(project, "basis")
