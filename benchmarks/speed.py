"""Milliseconds per neuron-step of the engine and its peers, on the same work, interleaved.

Every contender takes the paper's steps on the same neurons, from the same x₀, with the same weights
and threads. Their trajectories are held together in float64 before anything is timed.
"""

import argparse
import gc
import itertools
import json
import statistics
import subprocess
import time
from pathlib import Path

import pandas as pd
import torch

from peers import batched, from_frozen, literal, random_bert
from textualization.ascent.batching import fitting_batch
from textualization.ascent.loop import AscentSettings, make_solver, run_ascent
from textualization.ascent.objectives import mean_of
from textualization.ascent.starts import draw_starts
from textualization.files import atomic
from textualization.models.transformer import FrozenTransformer
from work import matmul_rate, operations

FRAME = (101, 102)
RATE = 1001.0
BASE = {"layers": 12, "hidden": 768, "heads": 12, "intermediate": 3072, "words": 30522}


def main(weights, out, threads, batches, rounds, memory_mb, lucent):
    torch.set_num_threads(threads)
    rows = []
    models = {
        "minilm-l6": lambda dtype: (
            FrozenTransformer.load(weights, dtype=dtype),
            from_frozen(weights).to(dtype),
        ),
        "random-base": _random_base,
    }
    for name, load in models.items():
        if name == "minilm-l6":
            agree(*load(torch.float64))
        model, whole = load(torch.float32)
        solver = make_solver(AscentSettings(), model)
        # A step of the large model takes seconds: fewer of them.
        large = name == "random-base"
        for layer in (1, (1 + model.layers) // 2, model.layers):
            own = fitting_batch(model, solver, layer, memory_mb * 2**20)
            for batch in sorted({*(batches[:2] if large else batches), own}):
                found = contest(model, whole, layer, batch, 1 if large else rounds)
                for contender, (ms, share, peak) in found.items():
                    row = {"model": name, "layer": layer, "batch": batch, "contender": contender}
                    row |= {"ms_per_neuron_step": ms, "matmul_share": share, "peak_rss_mb": peak}
                    rows.append(row | {"own": batch == own, "threads": threads})
                    print(" ".join(f"{k}={_short(v)}" for k, v in rows[-1].items()), flush=True)
                _write(rows, out)
            for batch in (1, 64) if lucent and name == "minilm-l6" else ():
                ms = _lucent(lucent, weights, layer, batch, threads)
                row = {"model": name, "layer": layer, "batch": batch, "contender": "lucent"}
                rows.append(row | {"ms_per_neuron_step": ms, "own": False, "threads": threads})
                print(rows[-1], flush=True)
        _write(rows, out)


def contest(model, whole, layer: int, batch: int, rounds: int) -> dict:
    """Median milliseconds per neuron-step, share of the matrix rate, and peak memory of each."""
    neurons, x0 = some_neurons(model, layer, batch)
    shape = (model.hidden, model.intermediate)
    contenders = {
        "engine": lambda steps, tick: _engine(model, neurons, x0, steps, tick),
        "batched": lambda steps, tick: batched(whole, neurons, x0, steps, RATE, FRAME, tick),
    }
    if batch == 1:
        contenders["literal"] = lambda steps, tick: literal(
            whole, neurons, x0, steps, RATE, FRAME, tick
        )
    work = batch * operations(shape, layer)
    steps = max(2, min(50, int(3e10 / work)))
    times, peaks, rates = {name: [] for name in contenders}, {}, []
    for round_, (name, run) in itertools.product(range(rounds), contenders.items()):
        gc.collect()
        _forget_peak()
        times[name] += _step_times(run, steps)
        if round_ == 0:
            peaks[name] = _peak()
        if name == "engine":
            rates.append(matmul_rate(shape, layer, batch, 0.3))
    rate = statistics.median(rates)
    return {
        name: (
            1e3 * statistics.median(took) / batch,
            operations(shape, layer) * batch / statistics.median(took) / rate,
            peaks[name],
        )
        for name, took in times.items()
    }


def agree(model, whole, steps: int = 20, tolerance: float = 1e-9):
    """Hold the contenders' ends together in float64; raise if they part."""
    neurons, x0 = some_neurons(model, model.layers, 3)
    ends = {
        "engine": _engine(model, neurons, x0, steps),
        "batched": batched(whole, neurons, x0, steps, RATE, FRAME)[0],
        "literal": literal(whole, neurons, x0, steps, RATE, FRAME)[0],
    }
    for name, e in ends.items():
        error = ((e - ends["literal"]).norm(dim=1) / ends["literal"].norm(dim=1)).max()
        print(f"agreement in float64: {name} and the literal loop, {float(error):.1e}")
        if not error <= tolerance:
            raise AssertionError(f"{name} parts from the literal loop: {float(error):.1e}")


def some_neurons(model, layer: int, count: int):
    """Some neurons of a layer, as (layer, index) pairs, and where each starts: x₀, (count, V)."""
    neurons = [(layer, index % model.hidden) for index in range(count)]
    names = [("benchmark", *neuron) for neuron in neurons]
    x0 = draw_starts(1, names, len(model.word_embeddings), "normal", 1.0)
    return neurons, torch.from_numpy(x0).to(model.dtype)


def _engine(model, neurons, x0, steps: int, tick=None):
    objectives = mean_of([[("output", *neuron)] for neuron in neurons], model)
    start = x0 @ model.word_embeddings
    return run_ascent(
        model, objectives, start, AscentSettings(steps=steps), progress=tick
    ).embedding


def _lucent(python, weights, layer: int, batch: int, threads: int, steps: int = 12) -> float:
    """Milliseconds per neuron-step of Lucent's own loop, in its own environment."""
    command = [python, str(Path(__file__).with_name("lucent_peer.py")), weights]
    command += ["--layer", str(layer), "--steps", str(steps), "--threads", str(threads)]
    command += ["--neurons", *map(str, range(batch))] + (["--together"] if batch > 1 else [])
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(found.splitlines()[-1])["ms_per_neuron_step"]


def _random_base(dtype):
    whole, tensors, facts = random_bert(**BASE, seed=0)
    return FrozenTransformer(tensors, facts, dtype=dtype), whole.to(dtype)


def _step_times(run, steps: int) -> list[float]:
    """Seconds of every step but the first, which pays for what is made once."""
    ticks = []
    run(steps + 1, lambda *_: ticks.append(time.perf_counter()))
    return [after - before for before, after in itertools.pairwise(ticks[1:])]


def _forget_peak() -> None:
    """Let Linux count this process's peak memory anew."""
    if Path("/proc/self/clear_refs").exists():
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _short(value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _write(rows, out) -> None:
    with atomic(Path(out) / "ascent.csv") as file:
        pd.DataFrame(rows).to_csv(file, index=False, float_format="%.4g")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", help="frozen.safetensors of MiniLM")
    parser.add_argument("--out", default="results/benchmarks")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 64, 256, 512])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--memory-mb", type=int, default=3000)
    parser.add_argument("--lucent", help="python of an environment with torch-lucent")
    main(**vars(parser.parse_args()))
