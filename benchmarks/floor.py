"""How near the engine comes to its floor, the rate of the matrix products alone: docs/floor.md.

A step is an evaluation, with its gradient, and the solver's move. Both are timed, between timings of the
products, in one process. The batch is one neuron, 64, or the engine's own choice.
"""

import argparse
import itertools
import time
from pathlib import Path

import pandas as pd
import torch

import textualization as tx
from show import _machine, _table
from textualization.ascent.batching import fitting_batch
from textualization.ascent.cuda_graph import Evaluation
from textualization.ascent.loop import AscentSettings, make_solver
from textualization.ascent.objectives import mean_of
from textualization.files import write_text
from textualization.report.tables import readable
from work import matmul_rate, operations

SOLVERS = {
    "paper": AscentSettings(options={"rate": 1001.0}),
    "lbfgs": AscentSettings("lbfgs", 105, {"angle": 1.0, "memory": 30, "power": 1.0}),
}
TEXT = """# The engine against its floor

Made by `benchmarks/floor.py` (`make floor MODELS='folder folder'`) on one thread of {machine}.

Neurons of `output`.

- **ms per neuron-step**: the fastest of the steps that fit into {seconds:g} s, divided by the neurons
  that ascend together.
- **share of matrix rate**: the step's useful operations per second, divided by those of the same matrix
  products alone, timed just before and after it.
- **solver's share**: of a step's time.
- **batch**: one neuron, 64, or the engine's own choice (*own*).

Over all models, at the engine's own choice:

{summary}

All:

{table}
"""


def main(models, seconds, memory_mb, out, page):
    torch.set_num_threads(1)
    rows = []
    for folder in models:
        loaded = tx.load(folder, device="cpu")
        for dtype in ("float32", "float64"):
            model = loaded.transformer(dtype)
            cases = itertools.product((1, (1 + model.layers) // 2, model.layers), SOLVERS)
            for layer, solver in cases:
                made = make_solver(SOLVERS[solver], model)
                own = fitting_batch(model, made, layer, memory_mb * 2**20)
                for batch in (1, 64, own):
                    row = {"model": Path(folder).name, "layer": layer, "dtype": dtype}
                    row |= {"solver": solver, "batch": batch, "own": batch == own}
                    rows.append(row | measured(model, made, layer, batch, seconds))
                    print(*rows[-1].values(), flush=True)
        _write(pd.DataFrame(rows), seconds, Path(out), page)


def measured(model, solver, layer: int, batch: int, seconds: float) -> dict:
    """Time steps for some seconds, three at least; return the fastest's milliseconds and shares."""
    neurons = [[("output", layer, index % model.hidden)] for index in range(batch)]
    evaluate = Evaluation(mean_of(neurons, model), model)
    dice = torch.Generator().manual_seed(0)
    start = torch.randn(batch, model.free, generator=dice, dtype=torch.float64) * 10
    steps = torch.ones(batch, dtype=torch.long)
    state, ticks = solver.begin(start.to(model.dtype), steps), []
    shape = (model.hidden, model.intermediate)
    timed = (shape, layer, batch, min(seconds, 0.5))
    before = matmul_rate(*timed, dtype=model.dtype)
    ends = time.perf_counter() + seconds
    while len(ticks) < 4 or time.perf_counter() < ends:
        began = time.perf_counter()
        value, gradient = evaluate(solver.look(state))
        evaluated = time.perf_counter()
        state = solver.move(state, value, gradient, torch.zeros(batch, dtype=model.dtype))
        ticks.append((evaluated - began, time.perf_counter() - evaluated))
    evaluation, move = min(ticks[1:], key=sum)
    rate = max(before, matmul_rate(*timed, dtype=model.dtype))
    done = operations(shape, layer) * batch
    return {
        "ms per neuron-step": 1e3 * (evaluation + move) / batch,
        "share of matrix rate": done / (evaluation + move) / rate,
        "solver's share": move / (evaluation + move),
    }


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Take the lowest share of the rate and the solver's largest, by solver, dtype and depth."""
    own = table[table["own"]]
    depth = own["layer"].map(lambda layer: "1" if layer == 1 else "middle, last")
    by = own.groupby(["solver", "dtype", depth], sort=False)
    lowest = by["share of matrix rate"].min().rename("lowest share of matrix rate")
    largest = by["solver's share"].max().rename("solver's largest share")
    return pd.concat([lowest, largest], axis=1).reset_index()


def _write(table: pd.DataFrame, seconds: float, out: Path, page) -> None:
    write_text(table.to_csv(index=False, float_format="%.4g"), out / "floor.csv")
    shown = table.assign(own=table["own"].map({True: "own", False: ""}))
    numbers = {
        "machine": _machine(),
        "seconds": seconds,
        "summary": _table(summary(table).map(lambda value: readable(value, digits=3))),
        "table": _table(shown.map(lambda value: readable(value, digits=3))),
    }
    write_text(TEXT.format(**numbers), page)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", help="folders of models")
    parser.add_argument("--seconds", type=float, default=1.0, help="of every measurement")
    parser.add_argument("--memory-mb", type=int, default=3000)
    parser.add_argument("--out", default="results/benchmarks")
    parser.add_argument("--page", default="docs/floor.md")
    main(**vars(parser.parse_args()))
