"""A real SLURM on this machine alone: one node on the loopback, no systemd, no accounting.

Needs root and Debian's `slurm-wlm` and `munge`. It claims eight cores and a GPU, whatever there is.
"""

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

CONFIG = Path("/etc/slurm/slurm.conf")  # Snakemake's executor clears SLURM_CONF
PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "squeue")
SETTINGS = """
ClusterName=testing
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
SlurmctldPort={port}
SlurmdPort={next_port}
CommunicationParameters=NoAddrCache,NoInAddrAny,NoCtldInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=400
AccountingStorageType=accounting_storage/none
SchedulerParameters=batch_sched_delay=0,sched_interval=2
MailProg=/bin/true
MpiDefault=none
KillWait=2
MinJobAge=86400
ReturnToService=2
PropagateResourceLimits=NONE
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=96000 Gres=gpu:1
PartitionName=cpu Nodes={host} Default=YES MaxTime=600 State=UP
PartitionName=gpu Nodes={host} MaxTime=600 State=UP
"""


def missing() -> str | None:
    """Why there can be no SLURM here; None if there can."""
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    if absent:
        return f"SLURM is not installed: no {', '.join(absent)} (apt-get install slurm-wlm munge)"
    if CONFIG.exists() and "ClusterName=testing\n" not in CONFIG.read_text():
        return f"this machine has a SLURM of its own ({CONFIG})"
    return None if os.geteuid() == 0 else "a SLURM for the tests alone has to be started by root"


@contextmanager
def running(folder: Path):
    """SLURM, from here to the end of the block. Raises RuntimeError if it does not come up."""
    host = socket.gethostname().split(".")[0]
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    CONFIG.parent.mkdir(parents=True, exist_ok=True)
    ports = {"port": 17817, "next_port": 17818}
    CONFIG.write_text(SETTINGS.format(host=host, folder=folder, **ports))
    (CONFIG.parent / "gres.conf").write_text("Name=gpu File=/dev/null\n")
    runs = Path("/run/munge")
    runs.mkdir(mode=0o755, exist_ok=True)
    shutil.chown(runs, "munge", "munge")
    daemons = []
    try:
        munged = ["runuser", "-u", "munge", "--", "munged", "--force", "--foreground"]
        daemons.append(subprocess.Popen(munged, stderr=subprocess.DEVNULL))
        for command in (["slurmctld", "-D", "-c"], ["slurmd", "-D"]):
            daemons.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        _wait_until(lambda: "idle" in _said("sinfo", "-h", "-o", "%T"), 60, folder)
        yield
    finally:
        _said("scancel", "--signal=KILL", "--full", "--user=root")
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        CONFIG.unlink()


def _said(*command) -> str:
    return subprocess.run(command, capture_output=True, text=True).stdout


def _wait_until(condition, seconds, folder):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            logs = [path.read_text()[-1500:] for path in sorted(folder.glob("*.log"))]
            raise RuntimeError("\n".join([f"SLURM did not come up in {seconds} s", *logs]))
        time.sleep(0.2)
