"""Studies that the benchmarks run: the default study with other settings."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

from textualization.files import write_text

#: No nulls and no twins: a study's own optima alone.
ALONE = {
    "run": ["singles", "groups"],
    "nulls": {"models": [], "objectives": [], "inputs": []},
    "ascent": {"twins": {"singles": 0, "groups": 0}},
}


def merged(*settings: dict) -> dict:
    """Settings with those of later dicts, key by key at every depth."""
    found: dict = {}
    for given in settings:
        for key, value in given.items():
            inner = isinstance(value, dict) and isinstance(found.get(key), dict)
            found[key] = merged(found[key], value) if inner else value
    return found


def settings_of(name: str, configfiles: tuple[str, ...] = ()) -> dict:
    """The settings of a study that `study` made, in full."""
    catalogue = "src/textualization/models/catalogue.yaml"
    files = (catalogue, "config/config.yaml", *configfiles, f"results/benchmarks/{name}.yaml")
    return merged(*(yaml.safe_load(Path(path).read_text(encoding="utf-8")) for path in files))


def study(
    name: str,
    settings: dict,
    wanted: tuple[str, ...],
    cores: int,
    configfiles: tuple[str, ...] = (),
    **variables: str,
) -> Path:
    """Make some files of a study that differs in some settings; its folder.

    Args:
        wanted: files within the study's folder.
        configfiles: files of settings that go before these.
        variables: of the environment.
    """
    folder, overlay = Path("results") / name, Path("results/benchmarks") / f"{name}.yaml"
    write_text(yaml.safe_dump(settings | {"study": name}), overlay)
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores)]
    command += ["--configfile", *configfiles, str(overlay)]
    command += ["--", *(str(folder / path) for path in wanted)]
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{name}: {done.stdout}{done.stderr}")
    return folder
