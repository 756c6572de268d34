"""Is a study as its manifest lists it? If not, which files are not, and which rule makes them again.

python scripts/verify.py results/default [snakemake's options for this study, as --configfile]
"""

import csv
import json
import subprocess
import sys
from pathlib import Path

from textualization.manifests import differences, left_over


def main(study: str, options: list[str]) -> int:
    root = Path(study)
    try:
        files = json.loads((root / "manifest.json").read_text(encoding="utf-8"))["files"]
    except FileNotFoundError:
        print(f"{root}/manifest.json is missing: run snakemake for this study", file=sys.stderr)
        return 2
    except (ValueError, KeyError, TypeError):
        print(f"{root}/manifest.json is broken: delete it and run snakemake", file=sys.stderr)
        return 2
    for name in left_over(root, files):
        print(f"not listed  {root / name} (of other settings, or put there by hand)")
    found = differences(root, files)
    if not found:
        print(f"{len(files)} files of {root} are as listed")
        return 0
    rules = _rules(options)
    for name, what in found.items():
        path = str(root / name)
        print(f"{what:10}  {path} (rule {rules.get(path, 'not known: of other settings')})")
    paths = " ".join(str(root / name) for name, what in found.items() if what != "missing")
    told = f"rm {paths} && " if paths else ""
    print(f"\nTo make them again: {told}snakemake --cores all {' '.join(options)}".rstrip())
    return 1


def _rules(options) -> dict[str, str]:
    """The rule that makes each file, as Snakemake says; none if it cannot say."""
    command = [sys.executable, "-m", "snakemake", "--summary", *options]
    told = subprocess.run(command, capture_output=True, text=True).stdout
    lines = list(csv.reader(told.splitlines(), delimiter="\t"))
    head = next((line for line in lines if line[:1] == ["output_file"]), None)
    if head is None:
        return {}
    place = head.index("rule")
    return {line[0]: line[place] for line in lines if len(line) == len(head)}


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__.strip())
    sys.exit(main(sys.argv[1], sys.argv[2:]))
