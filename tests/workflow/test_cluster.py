"""The small study through a real SLURM: whole, with jobs that fail, and with its controller killed."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

import slurm
from workflow import copy_of_the_project, environment, snakemake

SETTINGS = ("config/test.yaml", "tests/data/cluster.yaml")
MODEL = Path("results/cluster/tiny-wide")
ASCENTS = [str(MODEL / f"ascent/singles/output-{layer}-0.safetensors") for layer in (1, 2)]
#: The rules that this study submits; all others take seconds and run beside the controller.
SUBMITTED = {"convert_model", "word_activations", "neuron_summaries", "rank_neurons"}
SUBMITTED |= {"ascend_singles", "ascend_groups", "describe_singles", "describe_groups"}
SUBMITTED |= {"draw_null_inputs", "atlas_part", "figure_projection", "compare_directions"}
SUBMITTED |= {"table_nulls_singles", "table_nulls_groups", "table_robustness", "table_strata"}

pytestmark = [
    pytest.mark.campaign,
    pytest.mark.skipif(slurm.missing() is not None, reason=str(slurm.missing())),
]


@pytest.fixture(scope="module", autouse=True)
def cluster(tmp_path_factory):
    with slurm.running(tmp_path_factory.mktemp("slurm")):
        yield


@pytest.fixture(scope="module")
def locally(tmp_path_factory):
    """The study as this machine makes it, without a cluster."""
    folder = copy_of_the_project(tmp_path_factory.mktemp("local"))
    snakemake(folder, "--configfile", *SETTINGS, overlay=None)
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project with the profile edited as docs/cluster.md says, for this cluster."""
    folder = copy_of_the_project(tmp_path_factory.mktemp("cluster"))
    path = folder / "profiles/slurm/config.yaml"
    text = path.read_text()
    edits = {
        "  slurm_account: my-account\n": "",
        'config: ["ascent={device: cuda}"]': 'config: ["ascent={device: cpu}"]',
        # Not among the four lines: jobs here take seconds.
        "status-checks: 20": "status-checks: 5",
        "status-checks: 10": "status-checks: 1",
    }
    for line, edited in edits.items():
        assert text.count(line) == 1, line
        text = text.replace(line, edited)
    path.write_text(f"{text}slurm-no-account: true\nslurm-status-command: squeue\n")
    return folder


def start(folder, *words) -> subprocess.Popen:
    """Snakemake with the cluster's profile; what it says is to be read by finished()."""
    command = [sys.executable, "-m", "snakemake", "--configfile", *SETTINGS]
    return subprocess.Popen(
        [*command, "--workflow-profile", "profiles/slurm", *words],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(controller, fails=False) -> str:
    text, _ = controller.communicate(timeout=600)
    assert (controller.returncode != 0) == fails, text[-6000:]
    return text


def jobs() -> pd.DataFrame:
    """Every job that SLURM remembers, oldest first: rule, state, partition, memory, time."""
    text = subprocess.run(
        ["squeue", "-h", "-t", "all", "-o", "%i|%k|%T|%P|%m|%l"], capture_output=True, text=True
    ).stdout
    names = ["id", "comment", "state", "partition", "memory", "time"]
    rows = [dict(zip(names, line.split("|"), strict=True)) for line in text.split()]
    table = pd.DataFrame(rows, columns=names).astype({"id": int}).sort_values("id")
    table["rule"] = table["comment"].str.extract(r"rule_(\w+?)(?:_wildcards.*)?$")[0]
    return table


def since(before) -> pd.DataFrame:
    found = jobs()
    return found[found["id"] > (before["id"].max() if len(before) else 0)]


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.1)
    return found


def script_of(rule, folder):
    """The process of a job that runs a rule's script, in this folder; None if there is none."""
    for process in psutil.process_iter(["cmdline", "cwd"]):
        words = process.info["cmdline"] or []
        ours = process.info["cwd"] == str(folder)
        if ours and any(re.search(rf"/tmp\w+\.{rule}\.py$", word) for word in words):
            return process
    return None


def same_results(folder, other):
    """Everything that the study says, to the last bit."""
    paths = [p for p in (folder / MODEL).rglob("*.parquet") if p.parent.name != ".sha256"]
    found = sorted(path.relative_to(folder) for path in paths)
    assert len(found) > 8
    for path in found:
        pd.testing.assert_frame_equal(
            pd.read_parquet(folder / path), pd.read_parquet(other / path), check_exact=True
        )
    for path in [MODEL / "singles_embeddings.npy", MODEL / "groups_embeddings.npy"]:
        np.testing.assert_array_equal(np.load(folder / path), np.load(other / path))
    texts = [p.relative_to(folder) for p in (folder / MODEL / "tables").glob("*.csv")]
    for path in [*texts, Path("results/cluster/claims.csv"), Path("results/cluster/findings.md")]:
        assert (folder / path).read_bytes() == (other / path).read_bytes(), path


def nothing_is_left_to_do(folder):
    assert "Nothing to be done" in finished(start(folder, "--dry-run"))
    for kind in ("partial", "snapshot"):
        assert not list((folder / "results").rglob(f"*.{kind}"))


def test_the_study_survives_too_little_memory_and_too_little_time(project, locally):
    """One rule gets less memory than it needs at first, and one job hangs until its time is over."""
    before = jobs()
    controller = start(
        project,
        "--set-resources",
        "ascend_groups:mem_mb=350 if attempt == 1 else 3000",
        "ascend_singles:runtime=1 if attempt == 1 else 20",
    )
    stuck = wait_for(lambda: script_of("ascend_singles", project), 300)
    stuck.suspend()
    finished(controller)

    found = since(before)
    assert set(found["rule"]) == SUBMITTED
    assert set(found["partition"]) == {"cpu"}
    failed = found[found["state"] != "COMPLETED"]
    assert dict(zip(failed["rule"], failed["state"], strict=True)) in (
        {"ascend_groups": "FAILED", "ascend_singles": "TIMEOUT"},
        {"ascend_groups": "OUT_OF_MEMORY", "ascend_singles": "TIMEOUT"},
    )
    by_rule = found.groupby("rule", sort=False)
    assert by_rule.size().to_dict() == dict.fromkeys(SUBMITTED, 1) | {
        "ascend_groups": 2,
        "ascend_singles": 3,
        "compare_directions": 2,  # single neurons, and groups
    }
    assert by_rule.get_group("ascend_groups")["memory"].tolist() == ["350M", "3000M"]
    assert by_rule.get_group("ascend_singles")["time"].tolist() == ["1:00", "1:00", "20:00"]
    same_results(project, locally)
    nothing_is_left_to_do(project)


def test_a_killed_controllers_jobs_and_their_twins_write_the_same(project, locally):
    """Killed while a job is under way; the next one submits the job again, and both write."""
    for path in ASCENTS:
        (project / path).unlink(missing_ok=True)
    before = jobs()
    controller = start(project, *ASCENTS)
    orphan = wait_for(lambda: script_of("ascend_singles", project))
    orphan.suspend()
    controller.send_signal(signal.SIGKILL)
    finished(controller, fails=True)
    left = jobs()
    snakemake(project, "--unlock", "--configfile", *SETTINGS, overlay=None)
    # The twin starts while the first is held back, and has a way to go when that goes on.
    second = start(project, *ASCENTS)
    number = int(orphan.environ()["SLURM_JOB_ID"])
    [comment] = left["comment"][left["id"] == number]

    def twin_runs():
        found = since(left)
        return "RUNNING" in found["state"][found["comment"] == comment].tolist()

    wait_for(twin_runs)
    assert jobs().set_index("id")["state"][number] == "RUNNING"
    orphan.resume()
    finished(second)
    wait_for(lambda: not set(jobs()["state"]) & {"RUNNING", "PENDING", "COMPLETING"})
    assert len(since(left)) in (1, 2)  # the other one may have come to its end
    assert set(since(before)["state"]) == {"COMPLETED"}
    for path in ASCENTS:
        assert (project / path).read_bytes() == (locally / path).read_bytes()
    # What comes after them is as it was: written later, but the same.
    nothing_is_left_to_do(project)


def test_a_gpu_job_lands_on_a_gpu_and_says_at_once_that_it_cannot_use_it(project):
    """The node's GPU is a name only; a job that asked for one must not fall back."""
    before = jobs()
    (project / ASCENTS[0]).unlink(missing_ok=True)
    words = ["--config", "ascent={device: cuda}", "--retries", "0", ASCENTS[0]]
    text = finished(start(project, *words), fails=True)
    [job] = since(before).to_dict("records")
    assert job["rule"] == "ascend_singles" and job["partition"] == "gpu"
    assert job["state"] == "FAILED"
    shown = subprocess.run(
        ["scontrol", "show", "job", str(job["id"])], capture_output=True, text=True
    )
    assert re.search(r"TresPerJob=gres.gpu.1\b", shown.stdout), shown.stdout
    assert not (project / ASCENTS[0]).exists()
    [log] = (project / MODEL / "logs").glob("ascend_singles-output-1-0.log")
    message = log.read_text()
    assert "ascent.device is cuda, but no CUDA device is visible" in message
    assert "CUDA_VISIBLE_DEVICES is 0" in message
    assert str(log.relative_to(project)) in text


def test_a_run_that_is_interrupted_takes_its_jobs_with_it(project):
    before = jobs()
    path = project / ASCENTS[0]
    path.unlink(missing_ok=True)
    controller = start(project, ASCENTS[0])
    wait_for(lambda: script_of("ascend_singles", project)).suspend()
    controller.send_signal(signal.SIGINT)
    finished(controller, fails=True)
    wait_for(lambda: not set(jobs()["state"]) & {"RUNNING", "PENDING", "COMPLETING"}, 60)
    assert since(before)["state"].tolist() == ["CANCELLED"]
    assert not path.exists()
