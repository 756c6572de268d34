"""Processes on one machine take a GPU each; the one that dies lets go of its own."""

import logging
import subprocess
import sys

import pytest
import torch

from paths import DATA, ROOT
from scripts.claims.provenance import _devices
from textualization.models import devices, model
from textualization.models.conversion import convert
from textualization.models.devices import chosen_device
from textualization.models.model import Model

#: Of this processor's instructions, those that torch takes.
CAPABILITY = torch.backends.cpu.get_cpu_capability()
GPUS = ["GPU-a", "GPU-b", "GPU-c"]


@pytest.fixture
def processes(tmp_path):
    """Starts a process that takes a GPU, says which, and holds it; all end with the test."""
    started = []

    def start():
        code = f"""
import sys, time
sys.path.insert(0, {str(ROOT / "src")!r})
from pathlib import Path
from textualization.models.devices import take_free
print(*take_free({GPUS!r}, Path({str(tmp_path)!r})), flush=True)
time.sleep(600)
"""
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        started.append(process)
        number, alone = process.stdout.readline().split()
        return process, int(number), alone == "True"

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_every_process_takes_a_gpu_of_its_own(processes):
    found = [processes()[1:] for _ in GPUS]
    assert sorted(number for number, _ in found) == [0, 1, 2]
    assert all(alone for _, alone in found)


def test_a_killed_process_lets_go_and_more_processes_than_gpus_share(processes):
    first, number, _ = processes()
    for _ in GPUS[1:]:
        processes()
    assert not processes()[2]
    first.kill()
    first.wait()
    assert processes()[1:] == (number, True)


class Gpu:
    name, uuid = "Some GPU", "GPU-1"


@pytest.fixture
def gpus(monkeypatch, tmp_path):
    """Sets how many GPUs torch sees."""
    monkeypatch.setattr(devices, "_held", [])
    monkeypatch.setattr(devices.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(devices.torch.cuda, "get_device_properties", lambda number: Gpu)
    monkeypatch.setattr(devices.torch.cuda, "set_device", lambda number: None)
    chosen_device.cache_clear()
    yield lambda n: monkeypatch.setattr(devices.torch.cuda, "device_count", lambda: n)
    chosen_device.cache_clear()


def test_auto_says_that_it_fell_back(gpus):
    gpus(0)
    fallback = f"cpu (fallback of auto: no CUDA device is visible), {CAPABILITY}"
    assert chosen_device("auto") == ("cpu", fallback)
    assert chosen_device("cpu") == ("cpu", f"cpu (requested), {CAPABILITY}")


def test_cuda_without_a_gpu_is_refused(gpus, monkeypatch):
    gpus(0)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    with pytest.raises(RuntimeError, match="no CUDA device is visible.*CUDA_VISIBLE_DEVICES is 3"):
        chosen_device("cuda")


def test_a_gpu_is_named(gpus):
    gpus(1)
    for requested in ("auto", "cuda"):
        assert chosen_device(requested)[0] == "cuda"
        chosen_device.cache_clear()
    devices._held.clear()
    assert chosen_device("cuda")[1] == "cuda:0 of 1 (Some GPU, exclusive)"


def test_cpu_never_looks(gpus):
    gpus(2)
    assert chosen_device("cpu")[0] == "cpu"


def test_the_record_finds_the_device_that_the_log_names(gpus, monkeypatch, tmp_path, caplog):
    gpus(0)
    monkeypatch.setattr(model, "FrozenTransformer", lambda *_, **__: None)
    with caplog.at_level(logging.INFO):
        Model(*convert(DATA / "tiny-wide"), device="auto").transformer()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/some.log").write_text(f"2026-01-01 00:00:00,000 {caplog.messages[0]}\n")
    [found] = _devices([tmp_path])
    opening = f"device cpu (fallback of auto: no CUDA device is visible), {CAPABILITY}, float32, "
    assert found.startswith(opening)
