"""Record how a study was made: settings, versions, checksums, devices, seconds per stage."""

import json
import logging
import platform
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pandas as pd
import yaml

from study.config.reading import in_short
from study.job import run
from study.record.checksums import recorded
from textualization.files import sha256, write_text


def main(
    settings: dict, models: list, weights: list, provenance: str, settings_file: str, corpus=None
) -> None:
    folders = [Path(provenance).parent, *(Path(path).parent for path in weights)]
    record = {
        "study": settings["study"],
        "seed": settings["seed"],
        "neurons": in_short(settings),
        "models": {name: settings["catalogue"][name] for name in settings["models"]},
        "frozen": {m: recorded(p) for m, p in zip(models, weights, strict=True)},
        "commit": _commit(Path(__file__).parent),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processor": _processor(),
        "packages": {
            d.name: d.version for d in sorted(distributions(), key=lambda d: d.name.lower())
        },
        "seconds_per_rule": _seconds(folders),
        "devices": _devices(folders),
    }
    if corpus:
        record["corpus"] = {"file": str(corpus), "sha256": sha256(corpus)}
    write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), settings_file)
    write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", provenance)


def _commit(folder: Path) -> str | None:
    """Return the commit of the code in a folder, with `+changes` if files differ from it."""

    def git(*words):
        done = subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True)
        return done.stdout.strip()

    commit = git("rev-parse", "HEAD")
    return commit + ("+changes" if git("status", "--porcelain") else "") if commit else None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), "unknown")


def _seconds(folders) -> dict[str, dict]:
    """Return the number of jobs and their total seconds per rule, from Snakemake's benchmarks."""
    seconds: dict[str, list[float]] = {}
    for folder in folders:
        for path in sorted(Path(folder).rglob("benchmarks/*.tsv")):
            rule = path.stem.split("-")[0]
            try:
                took = float(pd.read_csv(path, sep="\t")["s"].iloc[0])
            except (ValueError, KeyError, IndexError):
                logging.info("%s is broken: its job is not counted", path)
                continue
            seconds.setdefault(rule, []).append(took)
    return {rule: {"jobs": len(s), "seconds": round(sum(s), 1)} for rule, s in seconds.items()}


def _devices(folders) -> list[str]:
    """Return the device, dtype and threads that jobs logged."""
    lines = {
        line.split(" ", 2)[2]
        for folder in folders
        for path in Path(folder).rglob("logs/*.log")
        for line in path.read_text(encoding="utf-8").splitlines()
        if " device " in line
    }
    return sorted(lines)


if "snakemake" in globals():
    run(main, snakemake)
