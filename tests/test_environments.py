"""The environments pin what the scripts import, at the lock's versions; rules name what they read."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from textualization.dependencies import local_imports

REPOSITORY = Path(__file__).parent.parent
SCRIPTS = REPOSITORY / "scripts"
#: Where the name that is imported is not the name of the package.
PACKAGES = {"yaml": "pyyaml", "markdown_it": "markdown-it-py"}
#: Needed by pandas at run time for Parquet, never imported by name.
UNSEEN = {"pyarrow"}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def lock(name="requirements.txt"):
    lines = (REPOSITORY / name).read_text().split()
    return {normal(n): v for n, v in (line.split("==") for line in lines)}


def environments():
    return {path.stem: yaml.safe_load(path.read_text()) for path in (REPOSITORY / "envs").iterdir()}


def pins(environment):
    [with_pip] = [d["pip"] for d in environment["dependencies"] if isinstance(d, dict)]
    return {normal(n): v for n, v in (line.split("==") for line in with_pip)}


def rules():
    """(rule, environment, script) of every rule, from the rule files."""
    text = "".join(p.read_text() for p in sorted((REPOSITORY / "rules").glob("*.smk")))
    found = []
    for part in re.split(r"^rule ", text, flags=re.MULTILINE)[1:]:
        name = part.split(":")[0]
        environment = re.search(r'"../envs/(\w+).yaml"', part)
        script = re.search(r'"../scripts/(\w+).py"', part)
        listed = re.search(r'script_with_modules\("(\w+)"\)', part)
        if "{wildcards.experiment}" in part:  # a script for every experiment
            own = [f"figure_{name}" for name in experiments()]
            found += [(script, environment.group(1), script, script) for script in own]
            continue
        found.append((name, *(m and m.group(1) for m in (environment, script, listed))))
    return found


def experiments():
    """The names of the experiments that the shipped settings declare."""
    return list(yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())["sweeps"])


def imported_packages(script):
    """Packages that a script and its modules import, wherever in them."""
    names = set()
    for path in local_imports(script):
        for node in ast.walk(ast.parse(Path(path).read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module.split(".")[0])
    ours = {path.stem for path in SCRIPTS.iterdir()}
    return {PACKAGES.get(n, n) for n in names - ours - set(sys.stdlib_module_names)}


def test_every_rule_has_an_environment_and_its_own_script_as_an_input():
    assert len(rules()) >= 20
    for name, environment, script, listed in rules():
        assert environment in environments(), name
        assert script == listed == name


@pytest.mark.parametrize("name", environments())
def test_an_environment_pins_the_locks_versions(name):
    found = pins(environments()[name])
    assert found
    assert found == {package: lock()[package] for package in found}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule[0])
def test_an_environment_pins_what_its_scripts_import(rule):
    name, environment, script, _ = rule
    needed = {normal(p) for p in imported_packages(SCRIPTS / f"{script}.py")}
    assert needed <= set(pins(environments()[environment]))


def test_no_environment_pins_what_nobody_imports():
    for name, environment in environments().items():
        used = {
            normal(p)
            for _, env, script, _ in rules()
            if env == name
            for p in imported_packages(SCRIPTS / f"{script}.py")
        }
        # Jinja2 makes LaTeX tables for pandas; it is not imported here.
        assert set(pins(environment)) - used <= UNSEEN | {"jinja2"}


def test_locks_hold_exact_public_versions_only():
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (REPOSITORY / name).read_text().split():
            assert re.fullmatch(r"[\w.-]+==[\w.]+", line), line


def test_both_locks_name_all_that_is_asked_for():
    asked = re.findall(r"^[\w-]+", (REPOSITORY / "requirements.in").read_text(), re.MULTILINE)
    assert {normal(n) for n in asked} <= set(lock())
    asked = re.findall(r"^[\w-]+", (REPOSITORY / "requirements-dev.in").read_text(), re.MULTILINE)
    assert {normal(n) for n in asked} <= set(lock("requirements-dev.txt"))


@pytest.fixture(scope="module")
def loaded():
    """Our files that Python loads for every script: each run anew, in one process for all of them."""
    code = f"""
import json, runpy, sys
from pathlib import Path
folder = {str(SCRIPTS)!r}
sys.path.insert(0, folder)

def ours():
    named = {{name: getattr(m, "__file__", None) or "" for name, m in sys.modules.items()}}
    return {{name: file for name, file in named.items() if file.startswith(folder)}}

found = {{}}
for script in sorted(Path(folder).glob("*.py")):
    runpy.run_path(str(script), run_name="imported")
    found[script.stem] = sorted(ours().values())
    for name in ours():
        del sys.modules[name]
print(json.dumps(found))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("script", sorted(p.stem for p in SCRIPTS.glob("*.py")))
def test_declared_modules_are_those_that_python_loads(script, loaded):
    """Against the interpreter itself: what a script imports when it is run."""
    files = {str(SCRIPTS / f"{script}.py"), *loaded[script]}
    assert files == set(local_imports(SCRIPTS / f"{script}.py"))


def test_both_profiles_compare_by_content():
    """Snakemake reads one of the two: what decides the re-runs stands in both."""
    default, cluster = (
        yaml.safe_load((REPOSITORY / "profiles" / name / "config.yaml").read_text())
        for name in ("default", "slurm")
    )
    of_one_machine = {"resources"}
    shared = {key: value for key, value in default.items() if key not in of_one_machine}
    assert shared and shared == {key: cluster[key] for key in shared}


def test_a_rule_that_a_cluster_gets_asks_for_more_when_it_is_tried_again():
    texts = [p.read_text() for p in sorted((REPOSITORY / "rules").glob("*.smk"))]
    parts = re.split(r"^(?:rule|checkpoint) ", "".join(texts), flags=re.MULTILINE)[1:]
    submitted = [part for part in parts if "localrule: True" not in part]
    assert len(submitted) >= 15
    for part in submitted:
        name = part.split(":")[0]
        assert re.search(r"mem_mb=(growing\(\d+\)|holding_model\(\d+, copies=\d\)),", part), name
        assert re.search(r"runtime=growing\(\d+\),", part), name
        # What can use a GPU asks for it, and says how it found the device.
        assert ("gpu=gpus()" in part) == ('device=ASCENT["device"]' in part), name


def test_planning_imports_nothing_heavy():
    code = """
import sys
sys.path.insert(0, "scripts")
import textualization.settings, textualization.dependencies
print(sorted({"torch", "transformers", "pandas", "numpy", "scipy"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
