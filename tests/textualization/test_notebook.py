"""The library's notebook runs on a model that no study has seen."""

import nbformat
import pytest
from nbclient import NotebookClient

from paths import DATA, ROOT


@pytest.mark.parametrize(("model", "word"), [("tiny-wide", "river")])
def test_the_notebook_asks_a_model_without_a_study(tmp_path, monkeypatch, model, word):
    monkeypatch.setenv("MODEL", str(DATA / model))
    monkeypatch.setenv("WORD", word)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    notebook = nbformat.read(ROOT / "notebooks/library.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    kinds = [set(output.get("data", {})) for output in outputs]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert sum("text/html" in kind for kind in kinds) == 4  # tables
    assert sum("image/png" in kind for kind in kinds) == 1  # the figure
    assert not list(tmp_path.iterdir())
