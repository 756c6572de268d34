"""Jobs get the same environment whatever the user's own is, and caches that can be written."""

import subprocess
import sys
from pathlib import Path

import pytest

from study.machine.environment import FOREIGN, settle


def test_what_changes_figures_and_numbers_is_not_handed_on(tmp_path):
    own = dict.fromkeys(FOREIGN, "some value") | {"XDG_CACHE_HOME": str(tmp_path), "LANG": "C"}
    settle(own, tmp_path / "caches")
    rest = {"PYTHONUTF8": "1", "TQDM_DISABLE": "1"}
    assert own == {"XDG_CACHE_HOME": str(tmp_path), "LANG": "C"} | rest


@pytest.mark.parametrize("name", ["MPLBACKEND", "MATPLOTLIBRC"])
def test_a_users_own_matplotlib_settings_fail_no_import(tmp_path, name):
    (tmp_path / "broken").write_bytes(b"# Schriftgr\xf6\xdfe\n")
    own = {"XDG_CACHE_HOME": str(tmp_path), name: str(tmp_path / "broken")}
    settle(own, tmp_path / "caches")
    subprocess.run([sys.executable, "-c", "import matplotlib"], env=own, check=True)


# Root may write everywhere, but in no folder below a file.
@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME"])
def test_caches_go_elsewhere_if_their_folder_cannot_be_written(monkeypatch, tmp_path, variable):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv(variable, "/dev/null/home")
    own = {variable: "/dev/null/home"}
    settle(own, tmp_path)
    assert own["XDG_CACHE_HOME"] == str(tmp_path)
    assert own["MPLCONFIGDIR"] == str(tmp_path / "matplotlib") and "HF_HOME" not in own


def test_models_of_a_home_that_can_only_be_read_are_still_found(monkeypatch, tmp_path):
    (tmp_path / "huggingface").mkdir()
    monkeypatch.setattr("study.machine.environment._can_be_written", lambda folder: False)
    own = {"XDG_CACHE_HOME": str(tmp_path)}
    settle(own, Path("/elsewhere"))
    assert own["HF_HOME"] == str(tmp_path / "huggingface")


def test_a_user_without_a_home_is_none_the_worse(monkeypatch, tmp_path):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    own = {}
    settle(own, tmp_path)
    assert own["XDG_CACHE_HOME"] == str(tmp_path)
