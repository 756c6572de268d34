"""What each stage of a finished study took: jobs, their time, the longest job, the most memory.

Snakemake measured every job while it ran. What rules request is of a dry run with the study's settings.
"""

import argparse
import json
from pathlib import Path

import pandas as pd

from memory import dry_run, requested
from show import _table
from textualization.files import write_text
from textualization.report.tables import readable


def measured(study: Path) -> pd.DataFrame:
    """One row per job that ran: its rule, seconds, peak memory in MB."""
    if not (study / "provenance.json").exists():
        raise SystemExit(f"{study} has no provenance.json: it is not a finished study's results")
    models = json.loads((study / "provenance.json").read_text(encoding="utf-8"))["models"]
    files = sorted(study.glob("**/benchmarks/*.tsv"))
    for model in models:
        files += sorted(study.parent.glob(f"_models/{model}-*/benchmarks/*.tsv"))
    # A rule's name is followed by its wildcards.
    tables = [pd.read_csv(path, sep="\t").assign(rule=path.stem.split("-")[0]) for path in files]
    return pd.concat(tables, ignore_index=True)


def by_rule(jobs: pd.DataFrame, limits: dict[str, int]) -> pd.DataFrame:
    """Sum the time of a rule's jobs, and take the largest of the rest."""
    rows = []
    for rule, of in jobs.groupby("rule"):
        peak = of["max_rss"].max()
        rows.append(
            {
                "rule": rule,
                "jobs": len(of),
                # Snakemake's processor time misses the last seconds of a job, up to half a minute.
                "job-minutes": of["s"].sum() / 60,
                "longest job (min)": of["s"].max() / 60,
                "peak (MB)": peak,
                "requested (MB)": limits.get(rule, float("nan")),
                "peak / requested": peak / limits.get(rule, float("nan")),
            }
        )
    return pd.DataFrame(rows).sort_values("job-minutes", ascending=False, ignore_index=True)


def main(study: str, out: str) -> None:
    study = Path(study)
    jobs = measured(study)
    log = dry_run("--cores", "1", "--configfile", str(study / "config.yaml"))
    table = by_rule(jobs, requested(log, "mem_mb"))
    text = TEXT.format(
        study=study.name,
        jobs=f"{len(jobs):,}",
        hours=f"{table['job-minutes'].sum() / 60:.2g}",
        largest=f"{table['peak (MB)'].max():,.0f}",
        table=_table(table.map(lambda value: readable(value, digits=2))),
    )
    write_text(text, Path(out))
    print(text)


TEXT = """# What each stage of the study `{study}` took

Made by `benchmarks/stages.py` from what Snakemake measured while the study ran: {jobs} jobs
of {hours} hours in all, at most {largest} MB in one job. A job takes one core. `fetch_model` and
`word_activations` are not measured, since Snakemake allows no benchmark of what its cache may hold.

- **Job-minutes**: by the clock, of all jobs of a rule together, imports included.
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
