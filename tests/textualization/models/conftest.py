"""A package index on this machine."""

import os

import pytest


@pytest.fixture
def index(tmp_path, monkeypatch):
    """An empty folder that is the only place where pip looks."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    settings = {"FIND_LINKS": str(folder), "NO_INDEX": "1", "CONFIG_FILE": os.devnull}
    settings |= {"DISABLE_PIP_VERSION_CHECK": "1", "NO_CACHE_DIR": "1"}
    for name, value in settings.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    return folder
