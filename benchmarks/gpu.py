"""How fast ascent is on a GPU: the engine by batch, compared with the batched peer and its floor.

Weights are random, in the shapes of MiniLM and BERT-base; what a step takes does not depend on them. The
floor: the same matrix products alone. `one by one`: the engine without a CUDA graph, its kernels
started by Python. `--only-show` makes the page again from a table measured before.
"""

import argparse
import itertools
import json
import time
from pathlib import Path

import pandas as pd
import torch

from peers import batched, random_bert
from show import _table
from speed import FRAME, RATE
from textualization.ascent import cuda_graph
from textualization.ascent.loop import AscentSettings, run_ascent
from textualization.ascent.objectives import mean_of
from textualization.files import atomic, write_text
from textualization.models.transformer import FrozenTransformer
from work import matmul_rate, operations

SHAPES = {
    "minilm-l6": {"layers": 6, "hidden": 384, "heads": 12, "intermediate": 1536, "words": 30522},
    "bert-base": {"layers": 12, "hidden": 768, "heads": 12, "intermediate": 3072, "words": 30522},
}
BATCHES = (64, 512, 4096)
#: Its x in vocabulary space takes memory.
LARGEST_OF_PEER = 512


def main(out: str, measured: str, batches, seconds: float, only_show: bool) -> None:
    if not only_show:
        measure(Path(measured), batches, seconds)
    text = page(pd.read_csv(measured))
    write_text(text, Path(out))
    print(text)


def measure(path: Path, batches, seconds: float) -> None:
    gpu = f"{torch.cuda.get_device_name()}, torch {torch.__version__.split('+')[0]}"
    rows = []
    for shape, facts in SHAPES.items():
        whole, tensors, text = random_bert(**facts, seed=0)
        whole = whole.cuda()
        size = (facts["hidden"], facts["intermediate"])
        model = FrozenTransformer(tensors, text, device="cuda")
        for layer, batch in itertools.product((1, 2, facts["layers"]), batches):
            row = {"gpu": gpu, "shape": shape, "layer": layer, "batch": batch}
            row |= timed(model, layer, batch, size, seconds)
            row["one_by_one_ms"] = without_graph(model, layer, batch, seconds)
            if batch <= LARGEST_OF_PEER:
                row["peer_ms"] = peer(whole, layer, batch, seconds)
            rows.append(row)
            print(json.dumps(row), flush=True)
        del whole, model
    with atomic(path) as file:
        pd.DataFrame(rows).to_csv(file, index=False, float_format="%.5g")


def page(found: pd.DataFrame) -> str:
    (gpu,) = found["gpu"].unique()
    rows = pd.DataFrame(
        {
            "shape": found["shape"],
            "layer": found["layer"].astype(str),
            "batch": found["batch"].map("{:,}".format),
            "step (ms)": found["ms"] * found["batch"],
            "µs per neuron-step": 1e3 * found["ms"],
            "one by one, times slower": found["one_by_one_ms"] / found["ms"],
            "batched peer, times slower": found["peer_ms"] / found["ms"],
            "TFLOP/s": found["tflops"],
            "share of products alone": found["tflops"] / found["matmul_tflops"],
            "memory (MB)": found["peak_mb"],
        }
    )
    return TEXT.format(gpu=gpu, table=_table(rows))


def without_graph(model, layer, batch, seconds) -> float:
    """Milliseconds of a neuron-step without a CUDA graph."""
    calls, cuda_graph.CALLS = cuda_graph.CALLS, 10**9
    try:
        return 1e3 * engine_step(model, layer, batch, seconds) / batch
    finally:
        cuda_graph.CALLS = calls


def engine_step(model, layer, batch, seconds) -> float:
    """Seconds of a step of the paper's solver on so many neurons of a layer."""
    objectives = mean_of([[("output", layer, i % model.hidden)] for i in range(batch)], model)
    start = 100 * torch.randn(batch, model.hidden, device="cuda")

    def run(steps, tick):
        run_ascent(model, objectives, start, AscentSettings(steps=steps), progress=tick)

    return step(run, seconds)


def timed(model, layer, batch, size, seconds) -> dict:
    """Milliseconds of a neuron-step, operations a second of it and of its products alone, memory."""
    torch.cuda.reset_peak_memory_stats()
    took = engine_step(model, layer, batch, seconds)
    peak = torch.cuda.max_memory_allocated() / 2**20
    rate = matmul_rate(size, layer, batch, seconds / 2, "cuda")
    return {
        "ms": 1e3 * took / batch,
        "tflops": operations(size, layer) * batch / took / 1e12,
        "matmul_tflops": rate / 1e12,
        "peak_mb": peak,
    }


def peer(whole, layer, batch, seconds) -> float:
    """Milliseconds of a neuron-step of the batched loop in transformers."""
    neurons = [(layer, i % whole.config.hidden_size) for i in range(batch)]
    x = torch.randn(batch, whole.config.vocab_size, device="cuda")

    def run(steps, tick):
        batched(whole, neurons, x, steps, RATE, FRAME, tick)

    return 1e3 * step(run, seconds) / batch


def step(run, seconds: float) -> float:
    """Seconds of a step: of a long ascent, without the first ones, which pay for what is made once."""
    ticks = []

    def tick(*_):
        torch.cuda.synchronize()
        ticks.append(time.perf_counter())

    first = cuda_graph.CALLS + 5 if cuda_graph.CALLS < 1000 else 5
    run(first + 3, tick)
    once = min(after - before for before, after in itertools.pairwise(ticks[first:]))
    steps, ticks = max(10, min(500, int(seconds / once))), []
    run(first + steps, tick)
    return (ticks[-1] - ticks[first]) / (len(ticks) - 1 - first)


TEXT = """# Ascent on a GPU

Made by `benchmarks/gpu.py` (`make gpu`) on {gpu}, from [gpu.csv](gpu.csv): random weights
in the shapes of MiniLM and BERT-base, the paper's solver, float32.

- **One by one**: the engine without a CUDA graph. The kernels of a small batch take longer to start
  than to run, so the engine starts them together, as a CUDA graph.
- **Batched peer**: the same loop in transformers.
- **Share of products alone**: useful operations per second, divided by those of the same matrix
  products alone in the same run.

{table}
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="docs/gpu.md")
    parser.add_argument("--measured", default="docs/gpu.csv")
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    parser.add_argument("--seconds", type=float, default=0.5, help="of every timing")
    parser.add_argument("--only-show", action="store_true")
    main(**vars(parser.parse_args()))
