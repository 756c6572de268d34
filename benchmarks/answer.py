"""Core-seconds per neuron to where the paper's 5,000 steps stand: literally, and by the study's solver.

On the same neurons of MiniLM, from the same x₀, on one thread, interleaved. The literal loop, and this
project's own 200 float32 steps, are timed on a few steps, since steps are alike; L-BFGS is timed whole.
"""

import argparse
import statistics
import time
from pathlib import Path

import pandas as pd
import torch

from peers import from_frozen, literal
from speed import FRAME, RATE, some_neurons
from textualization.ascent.loop import AscentSettings, run_ascent
from textualization.ascent.objectives import mean_of
from textualization.files import atomic
from textualization.models.transformer import FrozenTransformer

#: Steps of the paper's protocol, and of this project's float32 ascents that L-BFGS is compared with.
PAPER, SHORT = 5000, 200
#: Steps of L-BFGS in float64, and its options.
STEPS, OPTIONS = 105, {"angle": 1.0, "memory": 30, "power": 1.0}
#: Steps timed of the literal loop (one neuron) and of the float32 ascents, after one that warms up.
FEW = 20


def main(weights, out, layers, batch, rounds):
    torch.set_num_threads(1)
    single, double = (
        FrozenTransformer.load(weights, dtype=dtype) for dtype in (torch.float32, torch.float64)
    )
    whole, rows = from_frozen(weights), []
    for layer in layers or range(1, single.layers + 1):
        contenders = {
            "literal": lambda layer=layer: _literal(whole, single, layer),
            "lbfgs": lambda layer=layer: _lbfgs(double, layer, batch),
            "short": lambda layer=layer: _short(single, layer, batch),
        }
        seconds: dict = {name: [] for name in contenders}
        for _ in range(rounds):
            for name, run in contenders.items():
                seconds[name].append(run())
        row = {"layer": layer, "batch": batch, "rounds": rounds}
        rows.append(row | {name: statistics.median(took) for name, took in seconds.items()})
        print(rows[-1], flush=True)
        with atomic(Path(out) / "answer.csv") as file:
            pd.DataFrame(rows).to_csv(file, index=False, float_format="%.4g")


def _literal(whole, model, layer: int) -> float:
    neurons, x0 = some_neurons(model, layer, 1)
    ticks: list = []
    literal(whole, neurons, x0, FEW + 1, RATE, FRAME, lambda: ticks.append(time.process_time()))
    return (ticks[-1] - ticks[0]) / FEW * PAPER


def _lbfgs(model, layer: int, batch: int) -> float:
    run = _ascent(model, layer, batch)
    run(solver="lbfgs", steps=1, options=OPTIONS)
    return run(solver="lbfgs", steps=STEPS, options=OPTIONS)


def _short(model, layer: int, batch: int) -> float:
    run = _ascent(model, layer, batch)
    run(steps=1)
    # The gradient is computed once more than there are steps.
    return run(steps=FEW) / (FEW + 1) * (SHORT + 1)


def _ascent(model, layer: int, batch: int):
    """Return a function that ascends with some settings, and returns the core-seconds per neuron."""
    neurons, x0 = some_neurons(model, layer, batch)
    objectives = mean_of([[("output", *neuron)] for neuron in neurons], model)
    start = x0 @ model.word_embeddings

    def seconds(**settings) -> float:
        began = time.process_time()
        run_ascent(model, objectives, start, AscentSettings(**settings))
        return (time.process_time() - began) / batch

    return seconds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", help="frozen.safetensors of MiniLM")
    parser.add_argument("--out", default="results/benchmarks")
    parser.add_argument("--layers", type=int, nargs="+", help="all if not given")
    parser.add_argument("--batch", type=int, default=64, help="as many as in a job of the study")
    parser.add_argument("--rounds", type=int, default=3)
    main(**vars(parser.parse_args()))
