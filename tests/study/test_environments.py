"""The environments pin what the scripts import, at the lock's versions; rules name what they read."""

import json
import os
import re
import subprocess
import sys

import pytest
import yaml

from environments import (
    OF_RULES,
    SCRIPTS,
    SOURCES,
    environments,
    imported_packages,
    lock,
    normal,
    pins,
    rules,
)
from paths import ROOT
from study.dependencies import local_imports

#: Needed by pandas at run time for Parquet, never imported by name.
UNSEEN = {"pyarrow"}


def rule_name(script):
    """The name of a script's rule: the script's, and what it makes where its folder says that."""
    stage, name = script.split("/")
    if stage in ("tables", "figures"):
        return f"{stage.removesuffix('s')}_{name}"
    return re.sub("^figure_", "figure_of_", name) if stage == "experiments" else name


def test_every_script_has_a_rule_and_every_rule_a_script():
    assert len(OF_RULES) >= 20
    assert sorted(rules()) == OF_RULES


@pytest.mark.parametrize("script", OF_RULES)
def test_every_rule_has_an_environment_and_its_own_script_as_an_input(script):
    rule = rules()[script]
    assert rule["environment"] in environments()
    assert rule["name"] == rule_name(script)
    needed = local_imports(ROOT / f"scripts/{script}.py", SOURCES)
    needed = {os.path.relpath(path, ROOT) for path in needed}
    assert f"scripts/{script}.py" in needed
    declared = {path for path in rule["inputs"] if path.endswith(".py")}
    # A model is converted by a module of its family too, which is found by the model's name.
    assert declared == needed


#: The environment of models as GGUF files: that of models, and what reads them.
GGUF = "gguf"
ALWAYS = [name for name in environments() if name != GGUF]


@pytest.mark.parametrize("name", ALWAYS)
def test_an_environment_pins_the_locks_versions(name):
    found = pins(environments()[name])
    assert found
    assert found == {package: lock()[package] for package in found}


def test_what_reads_gguf_files_is_pinned_alike_everywhere():
    more = lock("requirements-gguf.txt")
    assert set(more) == {"gguf", "accelerate"}
    assert more.items() <= lock("requirements-dev.txt").items()
    assert pins(environments()[GGUF]) == pins(environments()["model"]) | more
    assert not set(more) & set(lock())  # nobody else needs it


@pytest.mark.parametrize("script", OF_RULES)
def test_an_environment_pins_what_its_scripts_import(script):
    needed = {normal(p) for p in imported_packages(script)}
    assert needed <= set(pins(environments()[rules()[script]["environment"]]))


def test_no_environment_pins_what_nobody_imports():
    for name in ALWAYS:
        used = {
            normal(package)
            for script, rule in rules().items()
            if rule["environment"] == name
            for package in imported_packages(script)
        }
        # Jinja2 makes LaTeX tables for pandas; it is not imported here.
        assert set(pins(environments()[name])) - used <= UNSEEN | {"jinja2"}


def test_locks_hold_exact_public_versions_only():
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().split():
            assert re.fullmatch(r"[\w.-]+==[\w.]+", line), line


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_both_locks_name_all_that_is_asked_for(name):
    wanted = re.findall(r"^[\w-]+", (ROOT / f"{name}.in").read_text(), re.MULTILINE)
    assert {normal(n) for n in wanted} <= set(lock(f"{name}.txt"))


@pytest.fixture(scope="module")
def loaded():
    """Our files that Python loads for every script: each run anew, in one process for all of them."""
    code = f"""
import json, runpy, sys
folder = {str(SOURCES)!r}

def ours():
    named = {{name: getattr(m, "__file__", None) or "" for name, m in sys.modules.items()}}
    return {{name: file for name, file in named.items() if file.startswith(folder)}}

found = {{}}
for script in {SCRIPTS!r}:
    try:
        runpy.run_path(f"scripts/{{script}}.py", run_name="imported")
        found[script] = sorted(ours().values())
    except ImportError as error:
        found[script] = [repr(error)]
    for name in ours():
        del sys.modules[name]
print(json.dumps(found))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("script", SCRIPTS)
def test_declared_modules_are_those_that_python_loads(script, loaded):
    """Against the interpreter itself: what a script imports when it is run."""
    path = str(ROOT / f"scripts/{script}.py")
    assert {path, *loaded[script]} == set(local_imports(path, SOURCES))


def test_both_profiles_compare_by_content():
    """Snakemake reads one of the two: what decides the re-runs stands in both."""
    default, cluster = (
        yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text())
        for name in ("default", "slurm")
    )
    of_one_machine = {"resources"}
    shared = {key: value for key, value in default.items() if key not in of_one_machine}
    assert shared and shared == {key: cluster[key] for key in shared}


def test_a_rule_that_a_cluster_gets_asks_for_more_when_it_is_tried_again():
    submitted = [rule for rule in rules().values() if not rule["local"]]
    assert len(submitted) >= 15
    for rule in submitted:
        first, second = rule["amounts"]
        for name in ("mem_mb", "runtime"):
            assert second[name] == 2 * first[name] > 0, rule["name"]


def test_what_can_use_a_gpu_asks_for_it_and_says_how_it_finds_the_device():
    asking = {name for name, rule in rules().items() if "gpu" in rule["amounts"][0]}
    assert asking >= {"ascent/ascend_singles", "words/word_activations"}
    for name in asking:
        assert not rules()[name]["local"], name
    assert asking == {name for name, rule in rules().items() if "device" in rule["amounts"][0]}


def test_planning_imports_nothing_heavy():
    """Neither what the rule files import, nor what these modules import in turn."""
    texts = [p.read_text() for p in (ROOT / "rules").rglob("*.smk")]
    found = re.findall(r"^from ((?:study|textualization)\S*) import", "\n".join(texts), re.M)
    assert {"study.config.settings", "study.dependencies"} <= set(found)
    code = f"""
import sys
import study.config.settings, study.dependencies
print(sorted({{"torch", "transformers", "pandas", "numpy", "scipy"}} & set(sys.modules)))
import {", ".join(sorted(set(found)))}
print(sorted({{"torch", "transformers", "pandas", "scipy"}} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["[]", "[]"]
