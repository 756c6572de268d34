"""How tests run Snakemake: in a copy of the project, with the small study's settings."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

import preloaded
from paths import ROOT

#: What of the repository a study needs, beside the tests' data.
PARTS = ("Snakefile", "config", "envs", "profiles", "report", "resources", "rules")
PARTS += ("scripts", "src")
#: A run of the small study.
COMMAND = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "config/test.yaml"]
#: What tells of times and machines, not of results.
APART = {"logs", "benchmarks", "provenance.json", "manifest.json", "ro-crate-metadata.json"}
APART |= {".study-id"}
#: Rules of the small study's tables and figures.
TABLES = {"singles", "recovery", "thresholds", "selections", "neurons", "words", "nulls_singles"}
TABLES |= {"utilisation", "nulls_groups", "robustness", "strata", "twins", "variance"}
TABLES |= {"explanation"}
TABLES = {f"table_{name}" for name in TABLES}
FIGURES = {"singles", "recovery", "cosine", "projection", "curves", "nulls", "utilisation"}
FIGURES |= {"nearest", "thresholds", "relative_selection", "explanation"}
FIGURES = {f"figure_{name}" for name in FIGURES}


def copy_of_the_project(folder: Path, project: Path = ROOT) -> Path:
    for part in (*PARTS, "tests/data"):
        source, target = project / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    return folder


def environment(folder, **variables):
    """One thread per job, no cache of another user's, and these variables."""
    own = {"OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(folder / ".cache")}
    return {**os.environ, **own, **variables}


def snakemake(folder, *words, overlay="config/test.yaml", fails=False, python=None, **variables):
    """What a run says. Its exit status is checked: other than 0 where it `fails`.

    It and its jobs are forks of one process, unless `python` is stated, or variables are.
    """
    python = python or (sys.executable if variables else preloaded.python())
    command = [python, "-m", "snakemake", "--cores", "2", *words]
    command += ["--configfile", overlay] if overlay else []
    done = subprocess.run(
        command, cwd=folder, env=environment(folder, **variables), capture_output=True, text=True
    )
    text = done.stdout + done.stderr
    assert (done.returncode != 0) == fails, text[-4000:]
    return text


def jobs_to_run(folder, *words, overlay="config/test.yaml") -> dict[str, int]:
    """Rule names and job counts of a dry run."""
    text = snakemake(folder, "--dry-run", "--quiet", "rules", *words, overlay=overlay)
    table = re.findall(r"^(\w+) +(\d+)$", text, flags=re.MULTILINE)
    return {rule: int(count) for rule, count in table if rule not in ("total", "all", "job")}


def files(folder) -> dict[str, bytes]:
    """Every file of the study's results."""
    root = folder / "results"
    paths = [p.relative_to(root) for p in root.rglob("*") if p.is_file()]
    return {str(p): (root / p).read_bytes() for p in paths if not APART & set(p.parts)}


def read_settings(folder) -> dict:
    """The small study's settings in a copy of the project."""
    return yaml.safe_load((folder / "config/test.yaml").read_text(encoding="utf-8"))


def write_settings(folder, settings) -> None:
    (folder / "config/test.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
