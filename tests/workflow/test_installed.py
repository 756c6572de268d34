"""The library as a package: pip installs it alone, and it needs nothing of this repository."""

import os
import shutil
import subprocess
import sys
from importlib.machinery import PathFinder

import pytest

from paths import ROOT

#: Imports every module of the library; prints where they are, and what else of ours was imported.
IMPORT = """
import importlib, pkgutil, sys
import textualization

print(textualization.__file__)
for module in pkgutil.walk_packages(textualization.__path__, "textualization."):
    importlib.import_module(module.name)
files = [m.__file__ for name, m in sys.modules.items() if name.startswith("textualization")]
print(len(files), sorted(file for file in files if not file.startswith(sys.argv[1])))
print(sorted({"study", "scripts", "snakemake"} & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder into which pip has installed the library."""
    # From a copy: what is built is put beside the sources.
    project = tmp_path_factory.mktemp("project")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, project / name)
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", project / "src", ignore=unwanted)
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--disable-pip-version-check", "--target", folder, project]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_library_alone_is_installed(installed):
    names = {path.name for path in installed.iterdir() if path.suffix != ".dist-info"}
    assert names == {"textualization"}
    assert PathFinder.find_spec("textualization", [str(installed)]) is not None
    assert PathFinder.find_spec("study", [str(installed)]) is None
    for path in (ROOT / "src/textualization").rglob("*.py"):
        assert (installed / path.relative_to(ROOT / "src")).read_bytes() == path.read_bytes()


def test_every_module_of_the_installed_library_can_be_imported(installed, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, str(installed)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found, modules, others = done.stdout.splitlines()
    assert found == str(installed / "textualization/__init__.py")
    count, elsewhere = modules.split(" ", 1)
    assert int(count) == len(list((ROOT / "src/textualization").rglob("*.py")))
    assert elsewhere == others == "[]"
