"""What studies of any size take: jobs, core-hours, disk, memory, and the time to plan them.

Jobs, memory and planning are of Snakemake's own dry run. Hours are gradient steps, counted from the
settings, times the seconds that one step takes here on one core, measured on random weights of the
same shape. What was not measured is said to be extrapolated.
"""

import argparse
import re
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml
from snakemake.api import SnakemakeApi
from snakemake.settings.types import (
    OutputSettings,
    Quietness,
    ResourceSettings,
    StorageSettings,
    WorkflowSettings,
)
from snakemake.utils import update_config
from snakemake_interface_executor_plugins.settings import ExecMode

from memory import dry_run
from peers import random_bert
from show import _machine, _table
from speed import BASE, _step_times, some_neurons
from study.config.settings import read_target_rows
from textualization.ascent.loop import AscentSettings, run_ascent
from textualization.ascent.objectives import mean_of
from textualization.files import write_text
from textualization.models.transformer import FrozenTransformer
from work import operations

SHAPES = {
    "minilm-l6": {"layers": 6, "hidden": 384, "intermediate": 1536, "words": 30522},
    "bert-base": {key: size for key, size in BASE.items() if key != "heads"},
    "bert-large": {"layers": 24, "hidden": 1024, "intermediate": 4096, "words": 30522},
    "llama-7b": {"layers": 32, "hidden": 4096, "intermediate": 11008, "words": 32000},
}
#: Attention heads, of the shapes that are measured.
HEADS = {"minilm-l6": 12, "bert-base": BASE["heads"], "bert-large": 16}
#: Solvers that are measured: the paper's, and the one that stands for its 5,000 steps.
SOLVERS = {
    "paper": AscentSettings(),
    "lbfgs": AscentSettings(solver="lbfgs", options={"angle": 1.0, "memory": 30, "power": 1.0}),
}
DTYPES = {"float32": torch.float32, "float64": torch.float64}
#: The change that lets `lbfgs` stand for the paper's steps (docs/equivalence.md).
EQUIVALENT = {
    "solver": "lbfgs",
    "dtype": "float64",
    "device": "cpu",
    "singles": {"steps": 105},
    "groups": {"steps": 105},
}
#: What a step takes on a GPU, measured there: `benchmarks/gpu.py`.
ON_A_GPU = Path("docs/gpu.csv")


def planned(folder: Path) -> dict[str, tuple[str, dict, str]]:
    """Every study: its settings' file, what is changed in them, and the shape of its model."""
    sites = {"sites": ["intermediate"]}
    every = {"run": ["singles"], "singles": sites, "activations": sites, "groups": sites}
    found = {
        "the default study: MiniLM": ("config/config.yaml", {}, "minilm-l6"),
        "MPNet-base, sampled": ("config/mpnet.yaml", {}, "bert-base"),
        "the paper's protocol on MiniLM": ("config/minilm-paper.yaml", {}, "minilm-l6"),
        "the paper: BERT-base": ("config/paper.yaml", {}, "bert-base"),
        "all 36,864 intermediate neurons of BERT-base": ("config/paper.yaml", every, "bert-base"),
        "the paper's study of BERT-large": _elsewhere(folder, "bert-large", "bert"),
        "the paper's study of a 7-billion-parameter decoder": _elsewhere(
            folder, "llama-7b", "llama"
        ),
    }
    equivalent = {
        f"{name}, by lbfgs": (file, changes | {"ascent": EQUIVALENT}, shape)
        for name, (file, changes, shape) in found.items()
        if name.startswith("the paper")
    }
    return found | equivalent


def _elsewhere(folder, name, family):
    """The paper's study of a model that is not there: a folder with the names of its files."""
    for file in ("model.safetensors", "config.json", "tokenizer.json"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / file).touch()
    source = {"source": "path", "path": str(folder / name), "family": family, "sha256": "0" * 64}
    entry = source | SHAPES[name]
    return "config/paper.yaml", {"models": [name], "catalogue": {name: entry}}, name


def measured(
    shape: str, way: tuple[str, str], layers: list[int], batch: int, steps: int
) -> dict[int, float]:
    """Seconds per step of one objective, by the layer that it is in, on one core.

    way: solver and dtype.
    """
    solver, dtype = way
    facts = SHAPES[shape] | {"heads": HEADS[shape]}
    _, tensors, text = random_bert(**facts, seed=0)
    model, found = FrozenTransformer(tensors, text, dtype=DTYPES[dtype]), {}
    for layer in layers:
        neurons, x0 = some_neurons(model, layer, batch)
        of = (
            mean_of([[("output", *neuron)] for neuron in neurons], model),
            x0 @ model.word_embeddings,
        )

        def run(steps, tick, of=of):
            run_ascent(model, *of, replace(SOLVERS[solver], steps=steps), progress=tick)

        found[layer] = float(np.median(_step_times(run, steps))) / batch
        per_step = f"{1e3 * found[layer]:.3g} ms per neuron-step"
        print(f"{shape}, {solver}, {dtype}, layer {layer}: {per_step}", flush=True)
    return found


def on_a_gpu(table: pd.DataFrame, batch: int) -> dict[str, dict[int, float]]:
    """Seconds per step of one objective in float32, by shape and layer, in jobs of so many."""
    found = table[table["batch"] <= max(batch, table["batch"].min())]
    found = found[found["batch"] == found["batch"].max()]
    return {
        shape: dict(zip(rows["layer"], rows["ms"] / 1e3, strict=True))
        for shape, rows in found.groupby("shape", sort=False)
    }


def seconds_per_step(shape: str, layer: int, costs: dict) -> float:
    """Measured, or between two measured layers; for a shape that was not, by operations."""
    if shape in costs:
        layers = sorted(costs[shape])
        return float(np.interp(layer, layers, [costs[shape][at] for at in layers]))
    largest = list(costs)[-1]
    deepest = max(costs[largest])
    rate = _operations(largest, deepest) / costs[largest][deepest]
    return _operations(shape, layer) / rate


def _operations(shape: str, layer: int) -> int:
    facts = SHAPES[shape]
    inner = facts["intermediate"] * _matrices(shape) // 2
    return operations((facts["hidden"], inner), layer)


def _matrices(shape: str) -> int:
    """Of a feed-forward layer: one with a gate has three."""
    return 3 if shape.startswith("llama") else 2


def steps_of(settings: dict, shape: str) -> dict[int, int]:
    """Steps of one objective, by the layer that they read, of a whole study."""
    facts, found = SHAPES[shape], {}
    run, nulls = settings["run"], settings["nulls"]
    deepest, replicates = facts["layers"], nulls["replicates"]

    def add(layer, items, steps):
        found[layer] = found.get(layer, 0) + items * steps

    def repeated(kind, items):
        restarts, again = (settings["ascent"][kind][key] for key in ("restarts", "repeated"))
        return items + (items if again == "all" else min(again, items)) * (restarts - 1)

    if "singles" in run:
        of, steps = settings["singles"], settings["ascent"]["singles"]["steps"]
        layers = range(1, deepest + 1) if of["layers"] == "all" else of["layers"]
        for site in of["sites"]:
            width = facts["hidden" if site == "output" else "intermediate"]
            drawn = width if of["neurons"] == "all" else min(of["neurons"], width)
            null = min(nulls["singles"]["neurons"], width) * replicates * len(nulls["models"])
            for layer in layers:
                add(layer, repeated("singles", drawn) + null, steps)
    if "groups" in run:
        of, steps = settings["groups"], settings["ascent"]["groups"]["steps"]
        words = len(read_target_rows(settings["words"]["targets"]))
        for scope, sizes in of["sizes"].items():
            items = words * (deepest if scope == "layer" else 1)
            add(deepest, len(of["selections"]) * len(sizes) * repeated("groups", items), steps)
        ascended = len(nulls["models"]) + len(
            {"random_group", "matched_activation"} & set(nulls["objectives"])
        )
        sizes = len(of["sizes"].get("model", []))
        null = nulls["groups"]["words"] * replicates * ascended
        add(deepest, null * sizes * len(of["selections"]), steps)
    return found


def megabytes(settings: dict, shape: str, steps: dict[int, int]) -> float:
    """Disk: word activations, weights and null models' weights, optima (twice: by job and in one)."""
    facts = SHAPES[shape]
    hidden, inner, layers = (facts[key] for key in ("hidden", "intermediate", "layers"))
    widths = {"output": hidden, "intermediate": inner}
    activations = sum(widths[site] for site in settings["activations"]["sites"])
    activations *= 4 * layers * facts["words"]
    numbers = 4 * hidden**2 + _matrices(shape) * hidden * inner
    numbers = layers * numbers + facts["words"] * hidden
    copies = 2 + settings["nulls"]["replicates"] * len(settings["nulls"]["models"])
    optima = sum(steps.values()) / settings["ascent"]["singles"]["steps"] * 3 * 4 * hidden
    return (activations + 4 * numbers * copies + optima) / 1e6


def plan(words: list[str]) -> dict:
    """Of a dry run: jobs, those that a cluster gets, the most memory that a job requests, seconds."""
    began = time.perf_counter()
    text = dry_run("--workflow-profile", "profiles/slurm", *words)
    took = time.perf_counter() - began
    local = _local_rules()
    counts = re.findall(r"^(\w+) +(\d+)$", text.split("Job stats:")[1], flags=re.MULTILINE)
    counts = {rule: int(count) for rule, count in counts if rule not in ("all", "job", "total")}
    memory = [int(mb) for mb in re.findall(r"\bmem_mb=(\d+)", text)]
    return {
        "jobs": sum(counts.values()),
        "submitted": sum(count for rule, count in counts.items() if rule not in local),
        "memory": max(memory),
        "planning": took,
    }


def _local_rules() -> set[str]:
    """The rules that run where Snakemake does, as it reads them itself."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(),
            storage_settings=StorageSettings(),
            # As a job reads it, which leaves .snakemake as it is.
            workflow_settings=WorkflowSettings(exec_mode=ExecMode.SUBPROCESS),
            snakefile=Path("Snakefile"),
        )._workflow
        return {rule.name for rule in workflow.rules if rule.name in workflow._localrules}


def main(out: str, steps: int) -> None:
    torch.set_num_threads(1)
    ways = {("paper", "float32"): 1, ("lbfgs", "float64"): 2}
    costs = {
        way: {
            "minilm-l6": measured("minilm-l6", way, [1, 2, 6], 256 // smaller, steps),
            "bert-base": measured("bert-base", way, [1, 2, 12], 128 // smaller, steps),
            "bert-large": measured("bert-large", way, [1, 2, 24], 64 // smaller, steps),
        }
        for way, smaller in ways.items()
    }
    gpu, rows = pd.read_csv(ON_A_GPU), []
    with tempfile.TemporaryDirectory() as folder:
        for name, (file, changes, shape) in planned(Path(folder)).items():
            own = Path(folder) / "own.yaml"
            own.write_text(yaml.safe_dump({"study": "planned"} | changes))
            settings = yaml.safe_load(Path("config/config.yaml").read_text(encoding="utf-8"))
            for layer in (yaml.safe_load(Path(file).read_text()), changes):
                update_config(settings, layer)
            found = plan(["--configfile", file, str(own)])
            taken = steps_of(settings, shape)
            way = (settings["ascent"]["solver"], settings["ascent"]["dtype"])
            here = costs[way]
            seconds = sum(n * seconds_per_step(shape, la, here) for la, n in taken.items())
            work = sum(n * _operations(shape, la) for la, n in taken.items())
            extrapolated = "" if shape in here else " (extrapolated)"
            there = on_a_gpu(gpu, settings["ascent"]["groups"]["per_job"])
            hours = sum(n * seconds_per_step(shape, la, there) for la, n in taken.items()) / 3600
            on_gpu = _short(hours) + ("" if shape in there else " (extrapolated)")
            rows.append(
                {
                    "study": name,
                    "jobs": f"{found['jobs']:,}",
                    "of them submitted": f"{found['submitted']:,}",
                    "steps of one objective": f"{sum(taken.values()):.2g}",
                    "operations": f"{work:.2g}",
                    "core-hours": f"{_short(seconds / 3600)}{extrapolated}",
                    "GPU-hours": on_gpu if way[0] == "paper" else "not measured",
                    "disk (GB)": _short(megabytes(settings, shape, taken) / 1e3),
                    "largest job's memory (GB)": f"{found['memory'] / 1000:.1f}",
                    "planning (s)": f"{found['planning']:.1f}",
                }
            )
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    text = TEXT.format(
        machine=_machine(), gpu=gpu["gpu"].iloc[0], studies=_table(table), costs=_costs(costs)
    )
    write_text(text, Path(out))
    print(text)


def _costs(costs) -> str:
    rows = [
        {
            "shape": shape,
            "solver": ", ".join(way),
            "layer": layer,
            "ms per step of one objective": f"{1e3 * s:.3g}",
            "GFLOP/s": f"{_operations(shape, layer) / s / 1e9:.0f}",
        }
        for way, shapes in costs.items()
        for shape, found in shapes.items()
        for layer, s in found.items()
    ]
    return _table(pd.DataFrame(rows))


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


TEXT = """# How large a study gets

Made by `benchmarks/scale.py` (`make scale`) on one core of {machine}.

- **Jobs, memory, planning**: from Snakemake's dry run of every study. Submitted: the jobs that a cluster
  gets. The rest are tables and figures of a second or so.
- **Steps and operations**: counted from the settings, null models included.
- **Core-hours**: steps times the seconds of one step, measured on random weights of the same shape.
  Layers between those measured are interpolated. Only the studies of MiniLM and MPNet-base were run to
  their end; [mpnet/stages.md](mpnet/stages.md) says what each stage took. *By lbfgs*: 105 steps in
  float64, which stand for the paper's 5,000 ([equivalence.md](equivalence.md)).
  Of the decoder no step was measured: its hours are its operations at the rate of the largest
  measured shape.
- **GPU-hours**: steps times the seconds of one step on an {gpu}, in float32, in the
  batch of the study's jobs or the next smaller one measured ([gpu.md](gpu.md)). Shapes not measured
  there: operations at the rate of BERT-base's last layer. Larger batches are faster. Work other than
  ascending is not counted.
- **Disk**: word activations, weights, null models' weights and optima, computed from their shapes.

{studies}

The measured steps:

{costs}
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="docs/scale.md")
    parser.add_argument("--steps", type=int, default=3, help="steps timed per shape and layer")
    main(**vars(parser.parse_args()))
