"""What the tests share: the tiny models, whole and frozen, and a finished study of one of them."""

import signal
from pathlib import Path

import pytest
import torch
from filelock import FileLock

from tiny import TINY, load_tiny
from workflow import copy_of_the_project, snakemake

#: Files of the longer tests that take longest: they are begun first.
LONG = ("faults", "kills", "random_edits", "cluster", "conda", "families_study", "experiment_runs")

torch.set_num_threads(1)
# Whoever starts the tests in the background of a script has interrupts ignored, by all that they start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    order = {f"test_{name}": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, worker_id) -> Path:
    """The project with its small study finished, to be copied or compared with, never changed.

    Made once for all processes that test.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "undisturbed"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            snakemake(copy_of_the_project(folder))
    return folder


@pytest.fixture(scope="session", params=TINY)
def tiny(request):
    """(a frozen tiny model in float64, the same model as transformers reads it, in float64)."""
    return load_tiny(request.param)
