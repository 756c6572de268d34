"""A GPU counts if torch computes on it, not if a driver lists one; without a driver nobody asks."""

import subprocess
import sys

import pytest

from study.machine import hardware
from study.machine.hardware import ANSWER, gpu_computes


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Sets whether there is a driver, and what torch answers; returns the questions."""
    monkeypatch.setenv(ANSWER, "")
    monkeypatch.delenv(ANSWER)
    monkeypatch.setattr(hardware, "DRIVER", tmp_path / "driver")
    asked = []

    def set_up(nvidia_smi, answer="", driver=False):
        def run(command, **_):
            asked.append(command)
            if answer is None:
                raise subprocess.TimeoutExpired(command, 1)
            return subprocess.CompletedProcess(command, 0, stdout=answer)

        if driver:
            (tmp_path / "driver").mkdir()
        monkeypatch.setattr(hardware.shutil, "which", lambda name: nvidia_smi)
        monkeypatch.setattr(hardware.subprocess, "run", run)
        return asked

    return set_up


def test_without_a_driver_nobody_asks(machine):
    asked = machine(None)
    assert not gpu_computes() and not asked


@pytest.mark.parametrize(
    "driver", [{"nvidia_smi": "/usr/bin/nvidia-smi"}, {"nvidia_smi": None, "driver": True}]
)
def test_torch_is_asked_once(machine, driver):
    asked = machine(answer="cuda cuda:0 of 1 (Some GPU, exclusive)\n", **driver)
    assert gpu_computes() and gpu_computes()
    assert len(asked) == 1


# No torch, torch without CUDA, a driver that hangs.
@pytest.mark.parametrize("answer", ["", "cpu cpu (fallback of auto: no CUDA device)", None])
def test_a_gpu_on_which_torch_does_not_compute_is_none(machine, answer):
    machine("/usr/bin/nvidia-smi", answer)
    assert not gpu_computes()


def test_the_question_is_answered_by_the_library():
    done = subprocess.run([sys.executable, "-c", hardware.QUESTION], capture_output=True, text=True)
    assert done.stdout.split()[0] in ("cpu", "cuda"), done.stderr
