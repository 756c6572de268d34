"""The most memory and time that each stage took, and what its rule requests: the paper's settings.

A model of BERT-base's shape with random weights, its vocabulary that of a finished study. Peaks are of
resident memory, looked at ten times a second; resident memory holds pages of mapped files too, which
the system takes back when it needs them. The time of jobs that ascend says nothing, and is left out.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psutil
import yaml
from transformers import BertConfig, BertModel

from show import _machine, _table
from textualization.files import write_text

#: What changes little of how much memory a job takes: how long it ascends, how many jobs there are.
SHORTER = {
    "ascent": {"singles": {"steps": 2}, "groups": {"steps": 2, "restarts": 1}},
    "nulls": {"replicates": 1},
}
#: Rules whose time is that of the steps.
ASCENDING = {"ascend_singles", "ascend_groups", "random_groups"}
ASCENDING |= {"null_model_singles", "null_model_groups"}


def made(folder: Path, tokenizer: Path) -> dict:
    """A model's folder in the hub's format; its entry for the catalogue."""
    config = BertConfig()
    if not (folder / "model.safetensors").exists():
        BertModel(config).save_pretrained(folder)
        (folder / "tokenizer.json").write_bytes(tokenizer.read_bytes())
    weights = (folder / "model.safetensors").read_bytes()
    return {
        "source": "path",
        "family": "bert",
        "path": str(folder),
        "sha256": hashlib.sha256(weights).hexdigest(),
        "layers": config.num_hidden_layers,
        "hidden": config.hidden_size,
        "intermediate": config.intermediate_size,
        "words": config.vocab_size,
    }


def watched(command: list[str], log: Path, kept: Path) -> dict[str, tuple[float, ...]]:
    """Run; the most of every rule's jobs: bytes resident, of them in no mapped file, seconds.

    Those of a run that was cut short are in `kept`, as the study goes on where it stopped.
    """
    peaks = {k: tuple(v) for k, v in json.loads(kept.read_text()).items()} if kept.exists() else {}
    with log.open("a") as stream:
        workflow = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
        while workflow.poll() is None:
            for rule, found in _now(workflow.pid):
                higher = tuple(map(max, found, peaks.get(rule, (0, 0, 0))))
                if higher != peaks.get(rule):
                    peaks[rule] = higher
                    write_text(json.dumps(peaks), kept)
            time.sleep(0.1)
    if workflow.returncode:
        raise RuntimeError(f"the study failed, see {log}")
    return peaks


def _now(workflow: int) -> Iterator[tuple[str, tuple[float, ...]]]:
    """Rule, memory and age of every job that runs."""
    for process in psutil.Process(workflow).children(recursive=True):
        try:
            words, memory = process.cmdline(), process.memory_info()
            age = round(time.time() - process.create_time(), 1)
        except psutil.Error:
            continue
        rule = next(filter(None, map(_rule, words)), None)
        if rule:
            yield rule, (memory.rss, memory.rss - memory.shared, age)


def _rule(word: str) -> str | None:
    """The rule of a job, whose script Snakemake copies to .snakemake/scripts/<letters>.<name>.py."""
    found = re.search(r"\.snakemake/scripts/\w+\.(\w+)\.py$", word)
    if not found:
        return None
    try:
        stage = re.search(r"scripts/(tables|figures)/\w+\.py", Path(word).read_text("utf-8"))
    except OSError:  # the job has just ended
        return None
    # A table and a figure may be of one name: their rules tell them apart.
    return f"{stage[1].removesuffix('s')}_{found[1]}" if stage else found[1]


def dry_run(*words: str) -> str:
    """Snakemake's log of all jobs of a study, as if none had run."""
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--forceall", *words]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    return done.stdout + done.stderr


def requested(log: str, resource: str) -> dict[str, int]:
    """What every rule's jobs request of a resource, from Snakemake's own log."""
    found = {}
    for rule, block in re.findall(
        r"^(?:local)?(?:rule|checkpoint) (\w+):\n((?: .*\n)*)", log, re.M
    ):
        amount = re.search(rf"\b{resource}=(\d+)", block)
        if amount:
            found[rule] = max(int(amount[1]), found.get(rule, 0))
    return found


def main(out: str, folder: str, tokenizer: str, cores: int) -> None:
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    own, log = folder / "own.yaml", folder / "log"
    model = made(folder / "model", Path(tokenizer))
    changes = {"study": "memory", "models": ["random"], "catalogue": {"random": model}}
    own.write_text(yaml.safe_dump(SHORTER | changes))
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores)]
    command += ["--configfile", "config/paper.yaml", str(own)]
    peaks = watched(command, log, folder / "peaks.json")
    limits, minutes = (requested(log.read_text(), name) for name in ("mem_mb", "runtime"))
    rows = [
        {
            "rule": rule,
            "peak (MB)": f"{resident / 1e6:,.0f}",
            "without mapped files (MB)": f"{private / 1e6:,.0f}",
            "requested (MB)": f"{limits[rule]:,}" if rule in limits else "",
            "peak / requested": f"{resident / 1e6 / limits[rule]:.2f}" if rule in limits else "",
        }
        | {
            "longest job (min)": "" if rule in ASCENDING else f"{seconds / 60:.1f}",
            "requested (min)": f"{minutes[rule]}" if rule in minutes else "",
        }
        for rule, (resident, private, seconds) in sorted(
            peaks.items(), key=lambda item: -item[1][0]
        )
    ]
    text = TEXT.format(machine=_machine(), table=_table(pd.DataFrame(rows)))
    write_text(text, Path(out))
    print(text)


TEXT = """# Memory of the paper's study

Made by `benchmarks/memory.py` (`make memory`) on {machine}: config/paper.yaml on random
weights in BERT-base's shape, with 2 steps per ascent, one start for the groups, all starts for
the single neurons, and one replicate of every null.

- **Peak**: resident memory, the largest of all jobs of a rule. It includes pages of mapped files, which
  the system can take back.
- **Longest job**: on two cores with other work running. Not given for jobs that ascend.
- **Requested**: by the rule. Rules that request nothing run where snakemake does.

{table}
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tokenizer", help="tokenizer.json with bert-base-uncased's vocabulary")
    parser.add_argument("--out", default="docs/memory.md")
    parser.add_argument("--folder", default="results/benchmarks/memory")
    parser.add_argument("--cores", type=int, default=2)
    main(**vars(parser.parse_args()))
