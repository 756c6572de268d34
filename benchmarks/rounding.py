"""How far rounding alone moves the headline numbers: the default study as on other processors.

Libraries are told to keep to older instructions, or jobs have other batches: the same settings, the same
starts, sums in another order. Own numbers only, without nulls; by the paper's solver and by L-BFGS.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from show import _machine, _table
from textualization.files import write_text
from textualization.report.sentences import with_interval

#: What computes: libraries are asked by these variables for no newer instructions.
AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
}
SSE = {"ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"}
SSE |= {"ONEDNN_MAX_CPU_ISA": "SSE41", "OPENBLAS_CORETYPE": "Nehalem"}
#: Another sum: variables of the machine, and settings that no result is of.
OTHER = {
    "usual": ({}, {}),
    "avx2": (AVX2, {}),
    "sse": (SSE, {}),
    "batches": ({}, {"singles": {"batch": 50}, "groups": {"batch": 50}}),
}
SOLVERS = ("paper", "lbfgs")
KEYS = {
    "singles": ["site", "layer", "index", "restart"],
    "groups": ["word", "selection", "scope", "scope_layer", "size", "restart"],
}


def ran(solver: str, name: str, model: str, cores: int) -> Path:
    """Run the study; its folder."""
    variables, ascent = OTHER[name]
    study = f"rounding-{solver}-{name}"
    settings = {
        "study": study,
        "models": [model],
        "ascent": {"solver": solver} | ascent,
        "nulls": {"models": [], "objectives": [], "inputs": []},
    }
    folder = Path("results") / study
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--quiet", "rules", "host"]
    command += ["reason", "--config", *(f"{k}={json.dumps(v)}" for k, v in settings.items()), "--"]
    wanted = [folder / "claims.csv", *(folder / model / f"{kind}.parquet" for kind in KEYS)]
    subprocess.run(
        [*command, *map(str, wanted)], env=os.environ | variables, check=True, capture_output=True
    )
    return folder


def claims(folder: Path) -> pd.DataFrame:
    table = pd.read_csv(folder / "claims.csv").drop_duplicates("claim").set_index("claim")
    return table[["value", "ci_low", "ci_high"]].apply(pd.to_numeric, errors="coerce")


def moved(folders: dict[str, Path]) -> pd.DataFrame:
    """Every claim: its value, and how far the other runs' is from it at most, also in its interval."""
    usual = claims(folders["usual"])
    others = [claims(folder)["value"] for name, folder in folders.items() if name != "usual"]
    apart = pd.concat([(other - usual["value"]).abs() for other in others], axis=1).max(axis=1)
    width = usual["ci_high"] - usual["ci_low"]
    rows = {
        "value": [with_interval(*row) for row in usual.itertuples(index=False)],
        "moved by at most": apart.map("{:.2g}".format),
        "of the interval's width": (apart / width).map("{:.1%}".format),
    }
    return pd.DataFrame(rows, index=usual.index)[usual["value"].notna() & apart.notna()]


def optima(folders: dict[str, Path], model: str) -> list[dict]:
    """What became of the optima: activations, directions, nearest words, run by run."""
    rows = []
    for kind, keys in KEYS.items():
        read = {n: pd.read_parquet(f / model / f"{kind}.parquet") for n, f in folders.items()}
        at = {n: np.load(f / model / f"{kind}_embeddings.npy") for n, f in folders.items()}
        usual, e = read.pop("usual"), at.pop("usual")
        for name, other in read.items():
            assert usual[keys].equals(other[keys])
            apart = ((other["activation"] - usual["activation"]) / usual["activation"]).abs()
            norms = np.linalg.norm(e, axis=1) * np.linalg.norm(at[name], axis=1)
            cosine = (e * at[name]).sum(axis=1) / norms
            same = usual["nearest_word"] == other["nearest_word"]
            rows.append(
                {
                    "optima": f"{len(usual):,} {kind}",
                    "run": name,
                    "activation, relative difference: median": f"{apart.median():.1e}",
                    "largest": f"{apart.max():.1e}",
                    "cosine below 0.999": f"{(cosine < 0.999).mean():.1%}",
                    "another nearest word": f"{(~same).mean():.1%}",
                }
            )
    return rows


def main(out: str, model: str, cores: int) -> None:
    parts = [HEAD.format(machine=_machine())]
    for solver in SOLVERS:
        folders = {name: ran(solver, name, model, cores) for name in OTHER}
        parts += [f"\n## Solver: {solver}\n", _table(pd.DataFrame(optima(folders, model)))]
        parts += ["", _table(moved(folders).reset_index())]
    text = "\n".join(parts) + "\n"
    write_text(text, Path(out))
    print(text)


HEAD = """# What rounding alone does

Made by `benchmarks/rounding.py` (`make rounding`) on {machine}: the default study without its
nulls, as this machine runs it, and again with the same settings and starts but with sums in another
order: libraries restricted to AVX2 or SSE4 (`avx2`, `sse`), and other batches (`batches`). One
machine with the same threads and batches gives the same results to the last bit. This page shows
what to expect of another.
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="docs/rounding.md")
    parser.add_argument("--model", default="minilm-l6")
    parser.add_argument("--cores", type=int, default=2)
    main(**vars(parser.parse_args()))
