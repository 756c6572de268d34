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
    """Sets how many GPUs torch sees, and which of them fail when they compute."""
    monkeypatch.setattr(devices, "_held", [])
    monkeypatch.setattr(devices.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(devices.torch.cuda, "get_device_properties", lambda number: Gpu)
    monkeypatch.setattr(devices.torch.cuda, "init", lambda: None)
    monkeypatch.setattr(devices.torch.cuda, "set_device", lambda number: None)
    ones = torch.ones

    def see(count, broken=(), why="CUDA error: out of memory.\nCompile with ..."):
        def allocate(size, device):
            if int(device.removeprefix("cuda:")) in broken:
                raise RuntimeError(why)
            return ones(size)

        monkeypatch.setattr(devices.torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(devices.torch, "ones", allocate)

    chosen_device.cache_clear()
    yield see
    chosen_device.cache_clear()


OLD = "The NVIDIA driver on your system is too old (found version 11040)"


@pytest.fixture
def old_driver(gpus, monkeypatch):
    """A driver that lists a GPU, and that this torch cannot use."""
    gpus(1)

    def init():
        raise RuntimeError(f"{OLD}. Please update")

    monkeypatch.setattr(devices.torch.cuda, "init", init)


def test_auto_leaves_a_gpu_that_cannot_be_used_and_says_why(gpus):
    gpus(1, broken=[0])
    why = "fallback of auto: no CUDA device can be used (CUDA error: out of memory)"
    assert chosen_device("auto") == ("cpu", f"cpu ({why}), {CAPABILITY}")
    with pytest.raises(RuntimeError, match="ascent.device is cuda, but .*error: out of memory"):
        chosen_device("cuda")


def test_a_driver_that_is_too_old_is_named(old_driver):
    device, description = chosen_device("auto")
    assert device == "cpu" and OLD in description
    with pytest.raises(RuntimeError, match="ascent.device is cuda, but .*driver .* too old"):
        chosen_device("cuda")


def test_of_several_gpus_one_that_computes_is_taken(gpus, monkeypatch):
    gpus(3, broken=[0, 1])
    identities = [type("Gpu", (), {"name": f"GPU {n}", "uuid": n}) for n in range(3)]
    monkeypatch.setattr(devices.torch.cuda, "get_device_properties", identities.__getitem__)
    assert chosen_device("cuda") == ("cuda", "cuda:2 of 3 (GPU 2, exclusive)")


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
