"""What edits re-run: random ones, one after the other, each beside the same study made from nothing.

More, or others: EDITS=20 EDITS_SEED=7 python -m pytest -n0 -m campaign -k edits_re_run_what
"""

import csv
import hashlib
import os
import random
import shutil

import pytest
from safetensors.numpy import load_file, save_file

from workflow import (
    copy_of_the_project,
    files,
    jobs_to_run,
    read_settings,
    snakemake,
    write_settings,
)

pytestmark = pytest.mark.campaign

EDITS = int(os.environ.get("EDITS", 3))
SEED = int(os.environ.get("EDITS_SEED", 1))


def setting(key, *values):
    """An edit that gives a setting another of its values."""

    def edit(folder, chance):
        settings = read_settings(folder)
        *parents, last = key.split(".")
        inner = settings
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = chance.choice([value for value in values if value != inner.get(last)])
        write_settings(folder, settings)
        return f"{key}: {inner[last]}"

    return edit


def line(path, *versions):
    """An edit that puts another version of a line in its place."""

    def edit(folder, chance):
        file = folder / path
        text = file.read_text()
        (now,) = [version for version in versions if version in text]
        new = chance.choice([version for version in versions if version != now])
        file.write_text(text.replace(now, new))
        return f"{path}: {new!r}"

    return edit


def weights(folder, chance):
    """Another model: one of its tensors a little larger, and the checksum that says so."""
    path = folder / "tests/data/tiny-deep/model.safetensors"
    tensors = load_file(path)
    name = chance.choice(sorted(name for name in tensors if "LayerNorm.weight" in name))
    tensors[name] = tensors[name] * 1.25
    save_file(tensors, path, metadata={"format": "pt"})
    settings = read_settings(folder)
    settings["catalogue"]["tiny-deep"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    write_settings(folder, settings)
    return f"{path.name}: {name}"


#: Edits by kind. Each of them changes a result.
KINDS = {
    "settings": [
        setting("seed", 1, 2, 3),
        setting("singles.neurons", 4, 5, 6),
        setting("ascent.singles.steps", 28, 29, 30),
        setting("ascent.groups.steps", 18, 19, 20),
        setting("groups.sizes.model", [4, 24], [4, 12], [6, 24]),
        setting("statistics.resamples", 200, 150, 180),
        setting("statistics.thresholds", [0.4], [0.3, 0.5]),
        setting("statistics.nearest_words", 3, 4),
        setting("statistics.removed_directions", 2, 3),
        setting("nulls.replicates", 1, 2),
        setting("words.candidates", "all", "whole_words"),
    ],
    "words": [
        line("tests/data/words.tsv", "tiger\tnoun\thigh", "tiger\tnoun\tlow"),
        line("tests/data/words.tsv", "\ngreen\tnoun", "\ngreen\tother"),
        line("tests/data/words.tsv", "\nseven\t", "\nmusic\t"),
    ],
    "modules": [
        line("src/textualization/report/tables.py", "digits: int = 3", "digits: int = 4"),
        line("src/textualization/ascent/starts.py", '"little")', '"big")'),
        line(
            "src/textualization/report/plotting.py",
            '"lines.linewidth": 1.2',
            '"lines.linewidth": 1.4',
        ),
        line("scripts/figures/recovery.py", "TWO_COLUMNS, 2.5", "TWO_COLUMNS, 2.6"),
    ],
    "model": [weights],
    "environment": [line("envs/analysis.yaml", "scipy==1.17.1", "scipy==1.17.0")],
}


#: Kinds whose edits come at once, step by step: another model would hide the others.
TOGETHER = (("settings", "modules", "environment"), ("settings", "words"), ("model",))

#: What tells of a whole study runs whenever anything did.
FOLLOWING = {"provenance", "manifest"}


def test_edits_re_run_what_they_change_and_nothing_else(undisturbed, tmp_path):
    chance = random.Random(SEED)
    folder = shutil.copytree(undisturbed, tmp_path / "edited")
    settings = read_settings(folder)
    settings["nulls"]["models"] = ["permuted"]
    write_settings(folder, settings)
    snakemake(folder)
    for step in range(EDITS):
        before, old, times = files(folder), sources(folder), made(folder)
        told = [
            chance.choice(KINDS[kind])(folder, chance) for kind in TOGETHER[step % len(TOGETHER)]
        ]
        planned = jobs_to_run(folder)
        snakemake(folder)
        after, ran = files(folder), {p for p, time in made(folder).items() if times.get(p) != time}
        assert jobs_to_run(folder) == {}, told

        # Nothing stale: each file of the study as it is when all is made from nothing.
        scratch = from_nothing(folder, tmp_path / f"scratch-{step}")
        assert [p for p, content in scratch.items() if after.get(p) != content] == [], told

        # Nothing needless: of each job that ran, something that it read or wrote is another, or was
        # made again (Snakemake goes by times: what is made again as it was, is read again).
        changed = {f"results/{p}" for p in after if before.get(p) != after[p]}
        new = sources(folder)
        changed |= {p for p in new if old.get(p) != new[p]}
        jobs = jobs_of(folder)
        rules = {rule for rule, written, _ in jobs if written & ran}
        assert rules == set(planned), told
        needless = [
            (rule, written)
            for rule, written, inputs in jobs
            if rule not in FOLLOWING
            and written & ran
            and not (written & changed | inputs & (changed | ran))
        ]
        assert needless == [], told


def from_nothing(folder, scratch) -> dict[str, bytes]:
    copy_of_the_project(scratch, folder)
    snakemake(scratch)
    found = files(scratch)
    shutil.rmtree(scratch)
    return found


def made(folder) -> dict[str, int]:
    """When each result was written."""
    paths = [p for p in (folder / "results").rglob("*") if p.is_file() and not p.is_symlink()]
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in paths}


def sources(folder) -> dict[str, bytes]:
    """Code and data that jobs read."""
    paths = [
        p
        for part in ("scripts", "src", "tests/data", "resources")
        for p in (folder / part).rglob("*")
    ]
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in paths
        if p.is_file() and "__pycache__" not in p.parts
    }


def jobs_of(folder) -> list[tuple[str, set[str], set[str]]]:
    """The study's jobs: rule, files written, files read."""
    text = snakemake(folder, "--detailed-summary")
    lines = text[text.index("output_file\t") :].splitlines()
    jobs = {}
    for row in csv.DictReader(lines, delimiter="\t"):
        if row["plan"]:
            written, _ = jobs.setdefault((row["rule"], row["log-file(s)"]), (set(), set()))
            written.add(row["output_file"])
            jobs[row["rule"], row["log-file(s)"]][1].update(row["input-file(s)"].split(","))
    return [(rule, written, inputs) for (rule, _), (written, inputs) in jobs.items()]
