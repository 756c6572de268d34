"""The benchmark's tables and figure, from its CSV files: benchmarks.md, .pdf, .png, .txt."""

import argparse
import platform
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from textualization.files import write_text
from textualization.report.alt_text import alt_text, course
from textualization.report.plotting import (
    COLOURS,
    TWO_COLUMNS,
    FigureFiles,
    figure,
    legend_above,
)

CONTENDERS = {
    "literal": {"color": COLOURS[3], "marker": "D", "linestyle": "-."},
    "batched": {"color": COLOURS[1], "marker": "s", "linestyle": "--"},
    "lucent": {"color": COLOURS[2], "marker": "^", "linestyle": ":"},
    "engine": {"color": COLOURS[0], "marker": "o", "linestyle": "-"},
}
SOLVERS = {
    "paper": {"color": COLOURS[1], "marker": "s", "linestyle": "--"},
    "sphere": {"color": COLOURS[2], "marker": "^", "linestyle": ":"},
    "lbfgs": {"color": COLOURS[0], "marker": "o", "linestyle": "-"},
}

ANSWER = """
Core-seconds per neuron to where the paper's 5,000 steps stand, on MiniLM, one thread: the literal loop
in float32, one neuron at a time (20 steps timed, times 250); lbfgs preconditioned with EᵀE, in float64,
{batch} neurons together (timed whole); and this project's own 200 float32 steps of the paper's solver,
likewise (20 steps timed). Interleaved, medians of {rounds} rounds; means are of the ratios.
"""


def main(out):
    out = Path(out)
    speed, quality = pd.read_csv(out / "ascent.csv"), pd.read_csv(out / "quality.csv")
    restarts, answer = pd.read_csv(out / "restarts.csv"), pd.read_csv(out / "answer.csv")
    parts = [
        "# Speed and height of the ascent\n",
        f"{_machine()}; {speed['threads'].iloc[0]} threads, float32.\n",
        "Milliseconds per neuron-step. Engine and batched peer ascend at the engine's own batch, the "
        "literal loop one neuron at a time. Share of matrix rate: useful operations per second, "
        "divided by those of the same matrix products alone in the same run.\n",
        _table(speed_table(speed)),
        "\nActivation against gradient evaluations, on MiniLM. Best: the highest activation of all "
        "runs and restarts.\n",
        _table(quality_table(quality)),
        ANSWER.format(batch=answer["batch"].iloc[0], rounds=answer["rounds"].iloc[0]),
        _table(answer_table(answer)),
        "\nDo restarts of lbfgs end in the same optimum (cosine above 0.99)? Spread: highest minus "
        "lowest activation, divided by the highest.\n",
        _table(restarts.drop(columns="model")),
        "\n[floor.md](floor.md) compares the engine with its floor, and [stages.md](stages.md) says "
        "where the time of the default study goes.",
    ]
    write_text("\n".join(parts), out / "benchmarks.md")
    files = FigureFiles(*(str(out / f"benchmarks.{kind}") for kind in ("pdf", "png", "txt")))
    draw(speed, quality, files)
    print("\n".join(parts))


def _machine() -> str:
    info = Path("/proc/cpuinfo")
    named = info.read_text().split("model name")[1:2] if info.exists() else []
    name = named[0].split(":", 1)[1].splitlines()[0].strip() if named else platform.processor()
    return f"{name} ({torch.backends.cpu.get_cpu_capability()}), torch {torch.__version__.split('+')[0]}"


def speed_table(speed) -> pd.DataFrame:
    """Per model and layer: the contenders' times at the engine's own batch, and their ratios."""
    rows = []
    for (model, layer), found in speed.groupby(["model", "layer"], sort=False):
        own = found[found["own"]].set_index("contender")
        literal, lucent = (_first(found, name) for name in ("literal", "lucent"))
        engine, batched = (own["ms_per_neuron_step"][name] for name in ("engine", "batched"))
        rows.append(
            {
                "model": model,
                "layer": layer,
                "batch": own["batch"]["engine"],
                "engine (ms)": engine,
                "batched peer (ms)": batched,
                "literal loop (ms)": literal,
                "lucent, 64 (ms)": lucent,
                "faster than batched": batched / engine,
                "faster than literal": literal / engine,
                "share of matrix rate": own["matmul_share"]["engine"],
                "peak memory (MB)": own["peak_rss_mb"]["engine"],
                "of batched (MB)": own["peak_rss_mb"]["batched"],
            }
        )
    return pd.DataFrame(rows)


def _first(found, contender) -> float:
    times = found[found["contender"] == contender]["ms_per_neuron_step"]
    return times.iloc[-1] if len(times) else np.nan


def quality_table(quality) -> pd.DataFrame:
    """Per layer and solver: shares reaching the paper at some budgets; evaluations to 99 % of best."""
    rows = []
    for (layer, solver), found in quality.groupby(["layer", "solver"], sort=False):
        found = found.set_index("gradient_evaluations").sort_index()
        row = {"layer": layer, "solver": solver, "neurons": found["neurons"].iloc[0]}
        for budget in (100, 200, 300):
            row[f"reach paper's at {budget}"] = found["share_reaching_paper"].get(budget)
        for budget in (200, 300):
            row[f"median of best at {budget}"] = found["median_share_of_best"].get(budget)
        high = found[found["median_share_of_best"] >= 0.99]
        row["evaluations to 99 % of best"] = high.index.min() if len(high) else "not reached"
        row["median of best, all evaluations"] = found["median_share_of_best"].iloc[-1]
        rows.append(row)
    return pd.DataFrame(rows)


def answer_table(answer) -> pd.DataFrame:
    """Core-seconds to where the paper's 5,000 steps stand, by layer, and the means of the ratios."""
    table = answer[["layer", "literal", "lbfgs", "short"]].astype({"layer": str})
    table["times faster"] = table["literal"] / table["lbfgs"]
    table["of 200 steps"] = table["lbfgs"] / table["short"]
    ratios = table[["times faster", "of 200 steps"]].mean().to_dict()
    table = pd.concat([table, pd.DataFrame([{"layer": "mean"} | ratios])], ignore_index=True)
    names = {"literal": "literal, 5,000 steps (s)", "lbfgs": "lbfgs, 106 evaluations (s)"}
    return table.rename(columns=names | {"short": "200 steps of the paper's (s)"})


def draw(speed, quality, files: FigureFiles) -> None:
    last = speed[speed["model"] == "minilm-l6"]
    last = last[last["layer"] == last["layer"].max()].sort_values("batch")
    deepest = quality[quality["layer"] == quality["layer"].max()]
    alt = _told(last, deepest)
    with figure(files, TWO_COLUMNS, 2.5, columns=3, alt=alt) as (left, middle, right):
        for name, style in CONTENDERS.items():
            own = last[last["contender"] == name]
            if len(own):
                left.plot(own["batch"], own["ms_per_neuron_step"], label=name, **style)
            if own["peak_rss_mb"].notna().sum() > 1:
                middle.plot(own["batch"], own["peak_rss_mb"], label=name, **style)
        left.set(xscale="log", yscale="log", ylabel="time (ms per neuron-step)")
        middle.set(xscale="log", ylim=(0, 1.1 * last["peak_rss_mb"].max()))
        middle.set(ylabel="peak memory of the process (MB)")
        for axis in (left, middle):
            axis.set_xlabel("neurons ascending together")
            legend_above(axis, 2, title=f"MiniLM, layer {last['layer'].max()}", title_fontsize=7)
        for name, style in SOLVERS.items():
            own = deepest[deepest["solver"] == name].sort_values("gradient_evaluations")
            share = 100 * own["median_share_of_best"]
            right.plot(own["gradient_evaluations"], share, label=name, **style)
        right.set(xscale="log", ylim=(0, 103), xlabel="gradient evaluations")
        right.set_ylabel("activation (% of best known, median)")
        legend_above(right, 3, title=f"MiniLM, layer {deepest['layer'].max()}", title_fontsize=7)


def _told(last, deepest) -> str:
    times, memory, shares = [], [], []
    for name in CONTENDERS:
        own = last[last["contender"] == name]
        if len(own):
            times.append(course(name, own["batch"], own["ms_per_neuron_step"], " ms"))
        if own["peak_rss_mb"].notna().sum() > 1:
            memory.append(course(name, own["batch"], own["peak_rss_mb"], " MB"))
    for name in SOLVERS:
        own = deepest[deepest["solver"] == name]
        share = 100 * own["median_share_of_best"]
        shares.append(course(name, own["gradient_evaluations"], share, " %"))
    parts = (
        alt_text("Time per neuron-step against neurons ascending together", times),
        alt_text("Peak memory against the same", memory),
        alt_text(
            "Activation as a share of the best known (median), by gradient evaluations", shares
        ),
    )
    return " ".join(parts)


def _table(frame) -> str:
    shown = frame.map(lambda v: f"{v:,.3g}" if isinstance(v, float) and v < 1000 else v)
    shown = shown.map(lambda v: f"{v:,.0f}" if isinstance(v, float) else v)
    shown = shown.replace("nan", "").rename(columns=lambda name: name.replace("_", " "))
    return shown.to_markdown(index=False, disable_numparse=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", nargs="?", default="results/benchmarks")
    main(**vars(parser.parse_args()))
