"""How high, and how soon: activation against gradient evaluations, for every solver.

The same neurons of MiniLM from the same x₀. Best known is the highest activation that anything
found here: the solvers themselves, and restarts of lbfgs. Neurons are drawn by a seed of their own.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from textualization.ascent.loop import AscentSettings, run_ascent
from textualization.ascent.objectives import mean_of
from textualization.ascent.starts import draw_starts
from textualization.draws import drawn_neurons
from textualization.files import atomic
from textualization.models.transformer import FrozenTransformer

FRAME = (101, 102)
#: A schedule belongs to its number of steps, so sphere runs once for every budget.
BUDGETS = (50, 100, 200, 300)
LONG = 500
#: Gradient evaluations after which the others' activations are kept.
KEPT = (1, 2, 5, 10, 20, 50, 100, 150, 200, 300, 400, 500, 1000, 2000, 3000, 4000)
#: Equal to the paper's activation, but for float32's rounding.
ROUNDING = 1e-5


def main(weights, out, threads, layers, neurons, restarts, steps, seed):
    torch.set_num_threads(threads)
    model = FrozenTransformer.load(weights)
    rows, agreement = [], []
    for layer in layers or (1, (1 + model.layers) // 2, model.layers):
        found, same = contest(model, layer, neurons, restarts, steps, seed)
        rows += [{"model": "minilm-l6", "layer": layer, **row} for row in found]
        agreement.append({"model": "minilm-l6", "layer": layer, "neurons": neurons, **same})
        print(pd.DataFrame(found).to_string(float_format="%.3f"), "\n", same, flush=True)
        _write(rows, Path(out) / "quality.csv")
        _write(agreement, Path(out) / "restarts.csv")


def contest(model, layer: int, neurons: int, restarts: int, steps: int, seed: int):
    """Rows of quality.csv for one layer, and how restarts agree."""
    drawn = drawn_neurons(seed, "output", layer, model.hidden, neurons)
    starts = [_starts(model, layer, drawn, seed, restart) for restart in range(restarts)]
    objectives = mean_of([[("output", layer, int(index))] for index in drawn], model)
    runs = []  # (solver, evaluations, seconds of all neurons, activations)
    paper = _run(runs, model, objectives, starts[0], solver="paper", steps=steps)
    for budget in BUDGETS:
        _run(runs, model, objectives, starts[0], solver="sphere", steps=budget - 1)
    long = [
        _run(
            runs if r == 0 else [],
            model,
            objectives,
            start,
            solver="lbfgs",
            steps=LONG - 1,
            options={"power": 0.5},  # the highest in few steps
        )
        for r, start in enumerate(starts)
    ]
    best = torch.stack([a for *_, a in runs] + [o.activation for o in long]).amax(dim=0)
    rows = [
        {
            "solver": solver,
            "gradient_evaluations": evaluations,
            "seconds": seconds,
            "share_reaching_paper": float((a >= (1 - ROUNDING) * paper.activation).double().mean()),
            "median_share_of_best": float((a / best).median()),
            "neurons": neurons,
        }
        for solver, evaluations, seconds, a in runs
    ]
    return rows, _agreement(long)


def _run(runs, model, objectives, start, **settings):
    """Ascend, and note the activation at every recorded step with the time that it took."""
    began = time.perf_counter()
    every_step = AscentSettings(**settings, recorded=20 * settings["steps"])
    found = run_ascent(model, objectives, start, every_step)
    took = time.perf_counter() - began
    last = settings["steps"] + 1
    kept = {*KEPT, last} if settings["solver"] != "sphere" else {last}
    for evaluations, value in zip(found.steps + 1, found.curve, strict=True):
        if evaluations in kept:
            share = took * evaluations / last
            runs.append((settings["solver"], int(evaluations), share, value))
    return found


def _agreement(runs) -> dict:
    """How often restarts end in the same optimum: cosines of optima, spread of activations."""
    e = torch.stack([run.embedding for run in runs])
    e = e / e.norm(dim=-1, keepdim=True)
    cosines = torch.einsum("rnh,snh->nrs", e, e)
    pairs = torch.triu_indices(len(runs), len(runs), 1)
    cosines = cosines[:, pairs[0], pairs[1]].flatten()
    a = torch.stack([run.activation for run in runs])
    spread = (a.amax(dim=0) - a.amin(dim=0)) / a.amax(dim=0)
    return {
        "restarts": len(runs),
        "evaluations": LONG,
        "median_cosine": float(cosines.median()),
        "share_same_optimum": float((cosines > 0.99).double().mean()),
        "median_spread": float(spread.median()),
        "largest_spread": float(spread.max()),
    }


def _starts(model, layer: int, drawn, seed: int, restart: int) -> torch.Tensor:
    names = [("benchmark", layer, int(index), restart) for index in drawn]
    x0 = draw_starts(seed, names, len(model.word_embeddings), "normal", 1.0)
    return torch.from_numpy(x0.astype(np.float32)) @ model.word_embeddings


def _write(rows, path) -> None:
    with atomic(path) as file:
        pd.DataFrame(rows).to_csv(file, index=False, float_format="%.5g")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", help="frozen.safetensors of MiniLM")
    parser.add_argument("--out", default="results/benchmarks")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--layers", type=int, nargs="+", help="first, middle and last if not given")
    parser.add_argument("--neurons", type=int, default=24)
    parser.add_argument("--restarts", type=int, default=4)
    parser.add_argument("--steps", type=int, default=5000, help="of the paper's protocol")
    parser.add_argument("--seed", type=int, default=7)
    main(**vars(parser.parse_args()))
