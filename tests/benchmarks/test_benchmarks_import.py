"""Every benchmark finds what it imports."""

import importlib

import pytest

from paths import ROOT

#: All but the one that runs in an environment of its own.
BENCHMARKS = sorted({path.stem for path in (ROOT / "benchmarks").glob("*.py")} - {"lucent_peer"})


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_imports(name):
    importlib.import_module(name)
