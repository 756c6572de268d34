"""The notebooks of the library run on models that no study has seen."""

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


def test_the_notebook_learns_a_dictionary_and_ascends_on_its_features(tmp_path, monkeypatch):
    monkeypatch.setenv("MODEL", str(DATA / "tiny-wide"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    notebook = nbformat.read(ROOT / "notebooks/dictionary.ipynb", as_version=4)
    kept = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert len(kept) > 5 and not [o for o in kept if o["output_type"] in ("error", "stream")]
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    assert not [output for output in outputs if output["output_type"] == "error"]
    tables = [o["data"]["text/html"] for o in outputs if "text/html" in o.get("data", {})]
    assert len(tables) == 5 and all("feature" in table for table in tables[1:])
    assert not list(tmp_path.iterdir())
