"""A Python that has its packages imported already: it saves a second for each process of a study.

`python()` is a command that takes the place of `sys.executable` for scripts and for `-m snakemake`. It
requests a process of a server, which has imported packages, and nothing of this project. The process is
a fork that gets the arguments, variables, folder and streams of its caller, and its signals; the caller
ends as the process does. Where there is no server, the command is Python itself.

Packages read some variables when they are imported: tests that set variables, and tests of processes,
use `sys.executable`.
"""

import contextlib
import json
import os
import select
import signal
import socket
import struct
import sys

PACKAGES = "numpy pandas pyarrow.dataset pyarrow.parquet scipy.optimize scipy.special scipy.stats "
PACKAGES += "matplotlib.backends.backend_agg matplotlib.backends.backend_pdf matplotlib.figure "
PACKAGES += "torch safetensors.numpy safetensors.torch tokenizers tqdm markdown_it yaml jsonschema "
PACKAGES += "statsmodels.stats.multitest statsmodels.stats.proportion snakemake.cli"
#: What a study and its tests set, as packages read it.
VARIABLES = {"OMP_NUM_THREADS": "1", "PYTHONUTF8": "1", "TQDM_DISABLE": "1"}
STARTED = []


def python() -> str:
    """Return the command. The first call starts the server, which ends with this process."""
    if not STARTED:
        STARTED.append(_started() if hasattr(os, "pidfd_open") else (sys.executable, None))
    return STARTED[0][0]


def _started():
    import shlex
    import subprocess
    import tempfile
    from pathlib import Path

    folder = Path(tempfile.mkdtemp(prefix="python-"))
    server, command = str(folder / "server"), str(folder / "python")
    call = shlex.join([sys.executable, "-I", "-S", __file__, sys.executable, server])
    Path(command).write_text(f'#!/bin/sh\nexec {call} "$@"\n', encoding="utf-8")
    Path(command).chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, __file__, server, command],
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | VARIABLES,
        stdin=subprocess.PIPE,  # open as long as this process lives
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout.readline() == b"ready\n"
    return command, process


def request(own: str, server: str, *words: str) -> int:
    """Have a server run a command line; return its exit status. Without one, become Python."""
    caller = socket.socket(socket.AF_UNIX)
    try:
        if words[0].startswith("-") and words[:2] != ("-m", "snakemake"):
            raise OSError("Python itself is wanted")
        caller.connect(server)
    except OSError:
        os.execv(own, [own, *words])
    text = json.dumps([words, dict(os.environ)]).encode()
    streams = [0, 1, 2, os.open(".", os.O_RDONLY)]
    socket.send_fds(caller, [struct.pack("q", len(text))], streams)
    caller.sendall(text)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: caller.sendall(bytes([received])))
    (status,) = struct.unpack("i", caller.recv(4, socket.MSG_WAITALL))
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


def serve(server: str) -> list[str]:
    """Fork for every caller, as long as the input is open. Return in a fork: what it is to run."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(server)
    listening.listen(64)
    os.write(1, b"ready\n")
    while 0 not in select.select([0, listening], [], [])[0]:
        caller, _ = listening.accept()
        if not os.fork():
            listening.close()
            return _become(caller)
        caller.close()
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
    os._exit(0)


def _become(caller) -> list[str]:
    length, streams, *_ = socket.recv_fds(caller, 8, 4)
    text = caller.recv(*struct.unpack("q", length), socket.MSG_WAITALL)
    if process := os.fork():
        guard(process, caller)
    caller.close()
    os.setsid()
    os.fchdir(streams[3])
    for target, stream in enumerate(streams[:3]):
        os.dup2(stream, target)
    for stream in streams:
        os.close(stream)
    words, variables = json.loads(text)
    os.environ.clear()
    os.environ.update(variables)
    return words


def guard(process: int, caller: socket.socket) -> None:
    """Pass on the signals of a caller and the exit status of its process. It dies with its caller."""
    end = os.pidfd_open(process)
    while end not in select.select([end, caller], [], [])[0]:
        numbers = caller.recv(1) or bytes([signal.SIGKILL])
        os.kill(process, *numbers)
        if numbers[0] == signal.SIGKILL:
            break
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    with contextlib.suppress(OSError):
        caller.sendall(struct.pack("i", status))
    os._exit(0)


def run(words: list[str]) -> None:
    """Run a module or script as Python does."""
    import runpy
    from pathlib import Path

    module = words[0] == "-m"
    sys.argv = words[module:]
    paths = filter(None, os.environ.get("PYTHONPATH", "").split(":"))
    sys.path[:1] = [str(Path.cwd() if module else Path(words[0]).parent), *paths]
    if module:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(sys.argv[0], run_name="__main__")


def end() -> None:
    """End with the status, the last of all that is to be done: memory is not freed page by page."""
    if status is not None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__" and sys.flags.isolated:
    sys.exit(request(*sys.argv[1:]))
if __name__ == "__main__":
    import atexit
    import gc
    import importlib

    status = None
    atexit.register(end)  # before those of the packages, which precede it therefore
    for name in PACKAGES.split():
        importlib.import_module(name)
    gc.freeze()
    _, server, sys.executable = sys.argv
    try:
        run(serve(server))
        status = 0
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else int(left.code is not None)
        raise
    except Exception:
        status = 1
        raise
