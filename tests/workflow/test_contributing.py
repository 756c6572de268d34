"""CONTRIBUTING.md is enough: a figure is its script and one entry, a null its function and one line."""

import re
import shutil

import pytest

from paths import ROOT
from workflow import jobs_to_run, snakemake

pytestmark = pytest.mark.campaign


@pytest.fixture
def project(undisturbed, tmp_path):
    return shutil.copytree(undisturbed, tmp_path / "project", symlinks=True)


def insert(path, after, text):
    before = path.read_text(encoding="utf-8")
    assert before.count(after) == 1
    path.write_text(before.replace(after, after + text), encoding="utf-8")


def test_a_figure_is_its_script_and_one_entry(project):
    script, entry = re.findall(
        r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL
    )
    (project / "scripts/figures/activation.py").write_text(script, encoding="utf-8")
    insert(project / "rules/figures.smk", "FIGURES = {\n", entry)
    assert set(jobs_to_run(project)) == {"figure_activation", "provenance", "manifest"}
    snakemake(project)
    figure = project / "results/test/tiny-deep/figures/activation"
    assert figure.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    assert "layer 1: median" in figure.with_suffix(".txt").read_text(encoding="utf-8")
    snakemake(project, "--report", "report.html")
    assert "Boxes are quartiles over neurons" in (project / "report.html").read_text("utf-8")


def test_a_figure_in_a_part_that_the_report_has_not_is_refused(project):
    entry = '    "x": {"subject": "singles", "part": "Neuron", "reads": {}},\n'
    insert(project / "rules/figures.smk", "FIGURES = {\n", entry)
    shutil.copy(project / "scripts/figures/cosine.py", project / "scripts/figures/x.py")
    refused = snakemake(project, "--dry-run", fails=True)
    assert "'Neuron' is no part of the report (known: Claims, Single neurons, " in refused


def test_a_null_model_is_its_function_and_one_line(project):
    nulls = project / "src/textualization/models/null_models.py"
    text = nulls.read_text(encoding="utf-8")
    function = (
        "def reversed_words(tensors: dict, facts: dict, draws: Callable) -> dict[str, np.ndarray]:\n"
        '    """Reverse the rows of the word embeddings."""\n'
        "    return dict(tensors) | {k: tensors[k][::-1].copy() for k in WORDS}\n\n\n"
    )
    nulls.write_text(text.replace("NULL_MODELS = {", function + "NULL_MODELS = {"), "utf-8")
    registry = project / "src/textualization/registry.py"
    text = registry.read_text(encoding="utf-8")
    registry.write_text(
        text.replace('"rotated_basis")', '"rotated_basis", "reversed_words")'), "utf-8"
    )
    settings = ("--config", "nulls={models: [permuted, reversed_words]}")
    target = "results/test/tiny-deep/figures/recovery.pdf"
    snakemake(project, target, *settings)
    alt = (project / target).with_suffix(".txt").read_text(encoding="utf-8")
    assert "reversed words" in alt and "permuted" in alt
