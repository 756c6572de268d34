"""Compare a study with its manifest; name the files that differ and the rules that make them.

PYTHONPATH=src python scripts/commands/verify.py results/default [Snakemake's options for the study]
"""

import csv
import os
import subprocess
import sys
from pathlib import Path

from study.machine.terminal import command_line
from study.record.manifests import ManifestError, differences, left_over, read_manifest

HOW = """To make them again, name the options that {root} was made with:
make verify STUDY={root} OPTIONS='--configfile my-study.yaml'"""


def main(study: str, options: list[str]) -> int:
    root = Path(study)
    try:
        files = read_manifest(root)
    except ManifestError as error:
        print(error, file=sys.stderr)
        return 2
    for name in left_over(root, files):
        print(f"not listed  {root / name} (of other settings, or put there by hand)")
    rules, old, refusal = _plan(options)
    found = differences(root, files)
    for name, what in found.items():
        path = str(root / name)
        print(f"{what:10}  {path} (rule {rules.get(path, 'not known')})")
    # A changed or missing file makes others outdated, so these are listed only without one.
    old = [name for name in files if str(root / name) in old and not found]
    for name in old:
        print(f"to renew    {root / name} (rule {rules[str(root / name)]})")
    if not found and not old:
        print(f"{len(files)} files of {root} are as listed")
        if refusal:
            print(f"\n{refusal}", file=sys.stderr)
        return int(bool(refusal))
    if refusal or not {str(root / name) for name in found} <= set(rules):
        print(f"\n{refusal or HOW.format(root=root)}")
        return 1
    paths = " ".join(str(root / name) for name, what in found.items() if what != "missing")
    remove = f"rm -r {paths} && " if paths else ""
    print(f"\nTo make them again: {remove}snakemake --cores all {' '.join(options)}".rstrip())
    return 1


def _plan(options) -> tuple[dict[str, str], set[str], str]:
    """Return each file's rule and the files that Snakemake would make again, or its refusal."""
    command = [sys.executable, "-m", "snakemake", "--summary", *options]
    utf8 = os.environ | {"PYTHONUTF8": "1"}
    done = subprocess.run(
        command, env=utf8, capture_output=True, encoding="utf-8", errors="replace"
    )
    lines = list(csv.reader(done.stdout.splitlines(), delimiter="\t"))
    head = next((line for line in lines if line[:1] == ["output_file"]), None)
    if head is None:
        return {}, set(), done.stderr.strip()
    rows = [dict(zip(head, line, strict=True)) for line in lines if len(line) == len(head)]
    old = {row["output_file"] for row in rows if row["plan"].startswith("update")}
    return {row["output_file"]: row["rule"] for row in rows}, old, ""


if __name__ == "__main__":
    arguments = command_line()
    if not arguments:
        sys.exit(__doc__.strip())
    sys.exit(main(arguments[0], arguments[1:]))
