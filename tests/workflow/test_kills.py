"""The study killed fifty times, at random moments, by every signal: in the end it is the same study."""

import os
import random
import re
import signal
import subprocess
import sys
import time

import psutil
import pytest

from workflow import COMMAND, copy_of_the_project, environment, files, jobs_to_run, snakemake

pytestmark = pytest.mark.campaign

KILLS = 50
#: How long a run lives before something in it is killed, in seconds.
LIFE = (3.0, 10.0)
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
VICTIMS = ("workflow", "job", "both")


def scripts_of(folder) -> list[psutil.Process]:
    """The processes of this folder's jobs."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        words = process.info["cmdline"] or []
        ours = process.info["cwd"] == str(folder)
        if ours and any("/.snakemake/scripts/" in word for word in words[1:]):
            found.append(process)
    return found


def killed(folder, log, chance) -> tuple[str, signal.Signals] | None:
    """Run the study until it is killed: who was, and how. None if it came to its end before.

    A workflow that died of the signal itself could not unlock its folder: SIGKILL, or SIGTERM
    before Snakemake listens for it. It is unlocked here, as docs/troubleshooting.md says.
    """
    with log.open("w") as stream:
        workflow = subprocess.Popen(
            COMMAND,
            cwd=folder,
            env=environment(folder),
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    number, victim = chance.choice(SIGNALS), chance.choice(VICTIMS)
    moment = time.monotonic() + chance.uniform(*LIFE)
    while workflow.poll() is None and time.monotonic() < moment:
        time.sleep(0.02)
    while victim == "job" and workflow.poll() is None and not (jobs := scripts_of(folder)):
        time.sleep(0.02)
    if workflow.poll() is not None:
        assert workflow.returncode == 0, log.read_text()[-4000:]
        return None
    try:
        if victim == "workflow":
            workflow.send_signal(number)
        elif victim == "job":
            chance.choice(jobs).send_signal(number)
        else:
            os.killpg(workflow.pid, number)
    except psutil.NoSuchProcess:
        pass  # it has just come to its end
    if workflow.wait(timeout=300) in (-signal.SIGKILL, -signal.SIGTERM):
        snakemake(folder, "--unlock", python=sys.executable)
    return victim, number


def finished(log) -> set[str]:
    """The outputs of the jobs that a run called finished."""
    text = log.read_text()
    outputs = {}
    for block in re.findall(r"^(?:local)?(?:rule|checkpoint) \w+:\n((?:    .*\n)+)", text, re.M):
        facts = dict(re.findall(r"^    (output|jobid): (.*)$", block, re.M))
        outputs[facts["jobid"]] = facts.get("output", "").split(", ")
    return {
        path
        for job in re.findall(r"^Finished jobid: (\d+) ", text, re.M)
        for path in outputs.get(job, [])
        if path
    }


def test_the_study_killed_fifty_times_is_the_same_study(undisturbed, tmp_path):
    folder, log = copy_of_the_project(tmp_path / "project"), tmp_path / "log"
    chance, kills, safe = random.Random(2023), [], {}
    whole = files(undisturbed)
    while True:
        done = killed(folder, log, chance) if len(kills) < KILLS else None
        if done:
            kills.append(done)
            for path in finished(log):
                safe.setdefault(path, (folder / path).stat().st_mtime_ns)
            continue
        snakemake(folder, python=sys.executable)
        assert jobs_to_run(folder) == {}
        for job in scripts_of(folder):  # one that outlived its workflow
            job.wait(300)
        found = files(folder)
        assert set(found) == set(whole)
        assert [path for path in found if found[path] != whole[path]] == []
        assert [p for p, when in safe.items() if (folder / p).stat().st_mtime_ns != when] == []
        if len(kills) == KILLS:
            break
        folder, safe = copy_of_the_project(tmp_path / f"project{len(kills)}"), {}
    # For whoever looks at how the kills fell.
    print({kind: kills.count(kind) for kind in sorted(set(kills), key=str)})
    assert {victim for victim, _ in kills} == set(VICTIMS)
    assert {number for _, number in kills} == set(SIGNALS)
