"""What each stage of a finished study took: jobs, processor time, the longest job, the most memory.

Snakemake measured every job while it ran. What rules request is of a dry run with the study's settings.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd

from memory import requested
from show import _table
from textualization.files import write_text


def measured(study: Path) -> pd.DataFrame:
    """One row per job that ran: its file's name, seconds, processor seconds, peak memory in MB."""
    if not (study / "provenance.json").exists():
        raise SystemExit(f"{study} has no provenance.json: it is not a finished study's results")
    models = json.loads((study / "provenance.json").read_text(encoding="utf-8"))["models"]
    files = sorted(study.glob("**/benchmarks/*.tsv"))
    for model in models:
        files += sorted(study.parent.glob(f"_models/{model}-*/benchmarks/*.tsv"))
    tables = [pd.read_csv(path, sep="\t").assign(job=path.stem) for path in files]
    return pd.concat(tables, ignore_index=True)


def rule_of(job: str, rules: set[str]) -> str:
    """The rule whose name a job's file begins with, followed by its wildcards."""
    return next((name for name in rules if job == name or job.startswith(f"{name}-")), job)


def dry_run(settings: Path) -> str:
    """Snakemake's log of all jobs of a study, with what each requests."""
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--forceall", "--cores", "1"]
    command += ["--configfile", str(settings)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    return done.stdout + done.stderr


def by_rule(jobs: pd.DataFrame, limits: dict[str, int]) -> pd.DataFrame:
    """Sum processor time over a rule's jobs, and take the largest of the rest."""
    rows = []
    for rule, of in jobs.groupby("rule"):
        peak = of["max_rss"].max()
        rows.append(
            {
                "rule": rule,
                "jobs": len(of),
                "core-minutes": of["cpu_time"].sum() / 60,
                "longest job (min)": of["s"].max() / 60,
                "peak (MB)": peak,
                "requested (MB)": limits.get(rule, float("nan")),
                "peak / requested": peak / limits.get(rule, float("nan")),
            }
        )
    return pd.DataFrame(rows).sort_values("core-minutes", ascending=False, ignore_index=True)


def main(study: str, out: str) -> None:
    study = Path(study)
    jobs = measured(study)
    log = dry_run(study / "config.yaml")
    limits = requested(log, "mem_mb")
    rules = set(limits) | set(requested(log, "runtime"))
    jobs["rule"] = [rule_of(job, rules) for job in jobs["job"]]
    table = by_rule(jobs, limits)
    text = TEXT.format(
        study=study.name,
        jobs=f"{len(jobs):,}",
        hours=f"{table['core-minutes'].sum() / 60:.2g}",
        largest=f"{table['peak (MB)'].max():,.0f}",
        table=_table(table.map(_shown)),
    )
    write_text(text, Path(out))
    print(text)


def _shown(value) -> str:
    if not isinstance(value, float):
        return str(value)
    if pd.isna(value):
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


TEXT = """# What each stage of the study `{study}` took

Made by `benchmarks/stages.py` from what Snakemake measured while the study ran: {jobs} jobs,
{hours} core-hours, at most {largest} MB in one job.

- **Core-minutes**: processor time of all jobs of a rule, imports included.
- **Longest job**: by the clock. Other work ran beside it.
- **Peak**: resident memory, with the pages of mapped files, which the system can take back.
- **Requested**: by the rule, of its largest job. Rules that request nothing run where snakemake does.

{table}
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", help="results of a finished study, such as results/mpnet")
    parser.add_argument("--out", required=True, help="the page to write")
    main(**vars(parser.parse_args()))
