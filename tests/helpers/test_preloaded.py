"""A process of the preloaded Python is like one of Python itself."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import preloaded

SCRIPT = """
import json, os, sys
print(json.dumps([sys.argv, os.getcwd(), os.environ["MINE"], sys.path[:2], sys.stdin.read()]))
print("to errors", file=sys.stderr)
found = sorted({name.split(".")[0] for name in sys.modules} & {"textualization", "study"})
assert not found, found
import mine
sys.exit(mine.STATUS)
"""


@pytest.fixture
def script(tmp_path):
    def write(text):
        path = tmp_path / "scripts/a script.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("python", [sys.executable, preloaded.python], ids=["own", "preloaded"])
def test_a_script_has_what_its_caller_gave_it(script, tmp_path, python):
    path = script(SCRIPT)
    (tmp_path / "mine.py").write_text("STATUS = 7")
    command = [python if isinstance(python, str) else python(), path, "one", "two words"]
    variables = {**os.environ, "MINE": "a\nb", "PYTHONPATH": str(tmp_path)}
    streams = {"input": "read", "capture_output": True, "text": True}
    done = subprocess.run(command, cwd=tmp_path, env=variables, **streams)
    assert done.returncode == 7 and done.stderr == "to errors\n"
    words = [str(path), "one", "two words"]
    folders = [str(path.parent), str(tmp_path)]
    assert json.loads(done.stdout) == [words, str(tmp_path), "a\nb", folders, "read"]


def test_an_error_ends_it_with_a_traceback(script):
    done = subprocess.run([preloaded.python(), script("1 / 0")], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.endswith("ZeroDivisionError: division by zero\n")


def begun(path, ready):
    process = subprocess.Popen([preloaded.python(), path])
    while not (ready.exists() and ready.read_text()):
        assert process.poll() is None
        time.sleep(0.02)
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_signals_reach_it_and_its_caller_ends_as_it_does(script, tmp_path, number):
    ready = tmp_path / "pid"
    text = "import os, time, pathlib\n"
    text += f"pathlib.Path({str(ready)!r}).write_text(str(os.getpid()))\ntime.sleep(60)"
    process = begun(script(text), ready)
    process.send_signal(number)
    assert process.wait(20) == -number
    running = int(ready.read_text())
    for _ in range(500):
        try:
            os.kill(running, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    pytest.fail("it runs on")


def test_a_signal_may_be_handled(script, tmp_path):
    ready = tmp_path / "ready"
    text = "import pathlib, signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(3))\n"
    process = begun(
        script(f"{text}pathlib.Path({str(ready)!r}).write_text('yes')\ntime.sleep(60)"), ready
    )
    process.terminate()
    assert process.wait(20) == 3


def test_other_commands_and_those_without_a_server_are_pythons_own(script, tmp_path):
    done = subprocess.run([preloaded.python(), "-c", "import sys; sys.exit(5)"])
    assert done.returncode == 5
    path = script("import sys; sys.exit(6 if 'torch' in sys.modules else 4)")
    assert subprocess.run([preloaded.python(), path]).returncode == 6
    nowhere = [sys.executable, "-I", "-S", preloaded.__file__, sys.executable, "/nowhere", path]
    assert subprocess.run(nowhere).returncode == 4
