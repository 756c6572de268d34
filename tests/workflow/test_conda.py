"""`--use-conda` through Snakemake's own conda code, with real environments of the shipped files.

What stands in for conda, and for conda-forge's python and pip: tests/helpers/conda_front.py.
"""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from conda_front import build_channel, bundled_pip, install_front, this_python
from environments import PACKAGES, environments, imported_packages, normal, pins, rules
from workflow import copy_of_the_project, snakemake

pytestmark = pytest.mark.campaign
#: The names by which packages are imported.
MODULES = {package: module for module, package in PACKAGES.items()}
SETTINGS = ("config/test.yaml", "tests/data/cluster.yaml")
MODEL = Path("results/cluster/tiny-wide")
ASCENTS = [str(MODEL / f"ascent/singles/output-{layer}-0.safetensors") for layer in (1, 2)]
#: Environments that this study needs; that of GGUF files is made only for a model in one.
NEEDED = [name for name in environments() if name != "gguf"]
TABLES = [str(MODEL / f"tables/{name}.csv") for name in ("singles", "utilisation")]


def run(folder, *words, targets=TABLES, **variables):
    """The single neurons' part of the small study: rules of both environments."""
    words = ["--configfile", *SETTINGS, *words, "--", *targets]
    return snakemake(folder, *words, overlay=None, **variables)


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    root = tmp_path_factory.mktemp("conda") / "root"
    variables = install_front(root)
    [python], [pip] = (
        {
            spec
            for e in environments().values()
            for spec in e["dependencies"]
            if str(spec).startswith(n)
        }
        for n in ("python=", "pip=")
    )
    packages = [this_python(python.split("=")[1]), bundled_pip(pip.split("=")[1])]
    build_channel(root, "conda-forge", packages)
    return variables


@pytest.fixture(scope="module")
def study(front, tmp_path_factory):
    folder = copy_of_the_project(tmp_path_factory.mktemp("project"))
    run(folder, "--use-conda", **front)
    return folder


def prefixes(study):
    """The environments that Snakemake made, by the name of their file."""
    texts = {p.read_text(): p.stem for p in (study / "envs").glob("*.yaml")}
    return {
        texts[file.read_text()]: file.with_suffix("")
        for file in (study / ".snakemake/conda").glob("*.yaml")
    }


def test_every_environment_holds_exactly_its_pins(study):
    assert set(prefixes(study)) == set(NEEDED)
    for name, prefix in prefixes(study).items():
        listed = subprocess.run(
            [prefix / "bin/python", "-m", "pip", "list", "--format", "json"],
            capture_output=True,
            text=True,
            check=True,
        )
        found = {normal(p["name"]): p["version"].split("+")[0] for p in json.loads(listed.stdout)}
        asked = pins(environments()[name])
        assert asked == {package: found[package] for package in asked}


@pytest.mark.parametrize("name", NEEDED)
def test_what_its_scripts_import_can_be_imported_there(study, name):
    scripts = [script for script, rule in rules().items() if rule["environment"] == name]
    packages = {normal(package) for script in scripts for package in imported_packages(script)}
    code = "".join(f"import {MODULES.get(p, p.replace('-', '_'))}\n" for p in sorted(packages))
    code += "import sys\nprint({getattr(m, '__file__', None) for m in sys.modules.values()})"
    done = subprocess.run(
        [prefixes(study)[name] / "bin/python", "-I", "-c", code], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert str(Path(sys.prefix)) not in done.stdout


def test_results_are_those_of_the_locked_environment(study, tmp_path):
    folder = copy_of_the_project(tmp_path)
    run(folder, targets=[*ASCENTS, MODEL / "candidates.parquet"])
    for path in ASCENTS:
        assert (study / path).read_bytes() == (folder / path).read_bytes()
    pd.testing.assert_frame_equal(
        *(pd.read_parquet(of / MODEL / "candidates.parquet") for of in (study, folder)),
        check_exact=True,
    )


def test_a_changed_environment_re_runs_its_rules_alone(study, front):
    assert "Nothing to be done" in run(study, "--use-conda", "--dry-run", **front)
    path = study / "envs/analysis.yaml"
    kept = path.read_text()
    edited = yaml.safe_load(kept)
    edited["dependencies"].append("tzdata")
    path.write_text(yaml.safe_dump(edited))
    text = run(study, "--use-conda", "--dry-run", "--quiet", "rules", **front)
    path.write_text(kept)
    jobs = text.split("Job stats:")[1].split("total")[0]
    assert "describe_singles" in jobs and "table_utilisation" in jobs
    assert "ascend_singles" not in jobs and "word_activations" not in jobs


def test_a_profile_that_keeps_the_library_from_the_jobs_is_refused(study, front):
    words = ("--use-conda", "--dry-run", "--workflow-profile", "none")
    text = run(study, *words, fails=True, **front)
    assert "conda-not-block-search-path-envvars: true" in text and "Traceback" not in text
