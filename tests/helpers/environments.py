"""What rules and environments say, and what scripts import: for tests that hold them together."""

import ast
import json
import re
import subprocess
import sys
from functools import cache

import yaml

from paths import ROOT
from study.dependencies import local_imports

SOURCES = ROOT / "src"
#: Every script by its stage and name; those of commands are no rule's.
SCRIPTS = sorted(
    p.relative_to(ROOT / "scripts").with_suffix("") for p in ROOT.glob("scripts/*/*.py")
)
SCRIPTS = [path.as_posix() for path in SCRIPTS]
OF_RULES = [script for script in SCRIPTS if not script.startswith("commands/")]
#: Where the name that is imported is not the name of the package.
PACKAGES = {"yaml": "pyyaml", "markdown_it": "markdown-it-py"}

#: Every rule as Snakemake reads it, with all experiments asked for: as JSON, the last line.
LOAD = """
import json
from pathlib import Path

import yaml
from snakemake.api import SnakemakeApi
from snakemake.settings import types
from snakemake_interface_executor_plugins.settings import ExecMode

settings = yaml.safe_load(Path("config/config.yaml").read_text(encoding="utf-8"))
run = ["singles", "groups", *settings["experiments"]]
model = settings["models"][0]


class Wildcards(dict):
    __getattr__ = dict.__getitem__


wildcards = Wildcards(model=model, name=model)


def amounts(rule, attempt):
    names = {"mem_mb", "runtime", "gpu", "device"} & set(rule.resources)
    return {n: rule.resources[n].evaluate(wildcards, attempt=attempt).value for n in names}


with SnakemakeApi(types.OutputSettings()) as api:
    workflow = api.workflow(
        resource_settings=types.ResourceSettings(),
        storage_settings=types.StorageSettings(),
        # As a job reads it, which leaves .snakemake as it is.
        workflow_settings=types.WorkflowSettings(exec_mode=ExecMode.SUBPROCESS),
        config_settings=types.ConfigSettings(config={"run": run, "corpus": "default"}),
        snakefile=Path("Snakefile"),
    )._workflow
    found = [
        {
            "name": rule.name,
            "environment": rule.conda_env and Path(rule.conda_env).stem,
            "script": rule.script,
            "inputs": [str(item) for item in rule.input if not callable(item)],
            "local": rule.name in workflow._localrules,
            "amounts": [amounts(rule, attempt) for attempt in (1, 2)],
        }
        for rule in workflow.rules
    ]
print(json.dumps(found))
"""


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def lock(name="requirements.txt"):
    lines = (ROOT / name).read_text().split()
    return {normal(n): v for n, v in (line.split("==") for line in lines)}


def environments():
    return {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / "envs").iterdir()}


def pins(environment):
    [with_pip] = [d["pip"] for d in environment["dependencies"] if isinstance(d, dict)]
    return {normal(n): v for n, v in (line.split("==") for line in with_pip)}


@cache
def rules():
    """Every rule that has a script, by that script: what LOAD tells of it."""
    done = subprocess.run([sys.executable, "-c", LOAD], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = {}
    for rule in json.loads(done.stdout.splitlines()[-1]):
        if rule["name"] == "all":
            continue
        script = re.fullmatch(r"\.\./scripts/(\w+/\w+)\.py", rule["script"])[1]
        # A rule that `use`s another has its script, and all but what it reads and writes.
        first = found.setdefault(script, rule)
        for what in ("environment", "local", "amounts"):
            assert rule[what] == first[what], f"two rules run {script}, each its way"
    return found


def imported_packages(script):
    """Packages that a script and its modules import, wherever in them."""
    paths = local_imports(ROOT / f"scripts/{script}.py", SOURCES)
    names = set().union(*map(_imported, paths))
    ours = {path.name for path in SOURCES.iterdir()}
    return {PACKAGES.get(n, n) for n in names - ours - set(sys.stdlib_module_names)}


@cache
def _imported(path):
    names = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    return names
