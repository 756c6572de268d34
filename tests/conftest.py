"""What the tests share: the tiny models, whole and frozen; a finished study of one of them."""

import signal
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from transformers import AutoModel

from textualization.freezing import freeze
from textualization.transformer import FrozenTransformer

DATA = Path(__file__).parent / "data"
TINY = ("tiny-wide", "tiny-deep")
FRAME = (2, 3)  # the ids of [CLS] and [SEP] in the tiny vocabulary

#: Files of the longer tests that take longest: they are begun first.
LONG = ("faults", "kills", "staleness", "cluster", "conda", "families_study", "experiments")

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
    from test_workflow import copy_of_the_project, snakemake

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


def load_tiny(name, dtype=torch.float64, read="word", **options):
    frozen = FrozenTransformer(*freeze(DATA / name), read=read, dtype=dtype, **options)
    whole = AutoModel.from_pretrained(DATA / name, dtype=dtype).eval()
    return frozen, whole.requires_grad_(False)
