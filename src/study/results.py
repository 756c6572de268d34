"""Readers of a study's results."""

from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import safe_open

from textualization.analysis.describe import ended
from textualization.models.architecture import Architecture
from textualization.optima_arrays import OptimaArrays
from textualization.report.csv_tables import read_csv

#: Columns that identify an objective of an experiment across conditions.
OBJECTIVE = ["null", "draw", "kind", "site", "layer", "index", "word", "item", "label", "size"]
OBJECTIVE += ["restart", "basis", "scope", "scope_layer", "selection", "activations", "reading"]
#: Kinds of an experiment's objectives other than contexts.
UNITS = ("single", "leading", "group")


def read_embeddings(weights) -> np.ndarray:
    """Read the word-embedding matrix E, (V, H), without the rest of the model."""
    with safe_open(weights, framework="np") as file:
        return file.get_tensor("word_embeddings")


def measures_of(weights, sites) -> tuple[str, ...]:
    """Return the measures of explanation that claims on neurons of these sites are about, as columns.

    They are `explanation` and, if all neurons are gated, `explanation_unsigned`. A neuron is gated if
    its site is `intermediate` and the model's feed-forward layers have a gate (LLaMA, ModernBERT, T5
    1.1): it multiplies two sums of the input and responds nearly alike to e and −e.

    Args:
        weights: the model's converted weights (a file).
        sites: the neurons' sites.
    """
    if set(sites) == {"intermediate"}:
        with safe_open(weights, framework="np") as file:
            if any(".gate." in name for name in file.offset_keys()):
                return ("explanation", "explanation_unsigned")
    return ("explanation",)


def read_matrices(sites, paths) -> dict[str, np.ndarray]:
    """Memory-map every site's word activations, (layers, V, width)."""
    return {s: np.load(path, mmap_mode="r") for s, path in zip(sites, paths, strict=True)}


def read_tables(paths) -> pd.DataFrame:
    """Read Parquet files into one table."""
    return pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)


def read_optima(paths, convergence: dict, collapse: float):
    """Read files of optima in order.

    Args:
        paths: the files; those without objectives are skipped.
        convergence, collapse: see `textualization.analysis.describe.ended`.

    Returns:
        The facts (`OptimaArrays.facts`, `converged`, `collapsed`), start and final embeddings (n, H),
        and the curves (`OptimaArrays.curves`).
    """
    parts = [optima for optima in map(OptimaArrays.load, paths) if len(optima)]
    rows = np.cumsum([0, *map(len, parts)])
    facts = [part.facts().join(ended(part, convergence, collapse)) for part in parts]
    curves = [part.curves(first) for part, first in zip(parts, rows, strict=False)]
    return (
        pd.concat(facts, ignore_index=True),
        np.concatenate([part.start for part in parts]),
        np.concatenate([part.embedding for part in parts]),
        pd.concat(curves, ignore_index=True),
    )


def read_nulls(paths) -> pd.DataFrame:
    """Read files of nulls into one table; an empty one without files."""
    return read_tables(paths) if len(paths) else pd.DataFrame(columns=["null", "site"])


def nulls_of_groups(path, kind: str) -> pd.DataFrame:
    """Read the nulls of one kind of claim about groups; may be empty.

    Args:
        path: the file of the table `nulls_groups`.
        kind: `recovery` or `threshold`.

    Returns:
        `null_model`, `value`, `low`, `high`, `selection`, `size` (the group size, or the percentage of
        a threshold).
    """
    columns = ["claim", "null_model", "null_value", "null_low", "null_high"]
    nulls = read_csv(path)[columns]
    nulls = nulls.set_axis(["claim", "null_model", "value", "low", "high"], axis=1)
    parts = nulls.pop("claim").str.split(".", expand=True).reindex(columns=range(4))
    chosen = (parts[1] == kind) & nulls["value"].notna()
    nulls = nulls[chosen].astype({"value": float, "low": float, "high": float})
    return nulls.assign(selection=parts[2][chosen], size=parts[3][chosen].astype(int))


def read_experiment(paths) -> pd.DataFrame:
    """Read all optima of an experiment, with `block` and `activation_share`.

    `activation_share` is the activation as a share of the objective's highest under any condition. NaN
    if the highest is not positive, or the objective has one condition only.
    """
    tables = [
        pd.read_parquet(path).assign(block=Path(path).stem.rpartition("-")[0]) for path in paths
    ]
    optima = pd.concat(tables, ignore_index=True)
    same = optima.groupby(OBJECTIVE)["activation"]
    highest = same.transform("max")
    known = (highest > 0) & (same.transform("size") > 1)
    optima["activation_share"] = (optima["activation"] / highest).where(known)
    return optima


def coordinates(neurons, weights, expected, sign: int = 1) -> np.ndarray:
    """Compute the expected value of each neuron as a coordinate of a normalised state.

    Args:
        neurons: `site`, `layer`, `index`, n rows.
        weights: the model's converted weights (a file).
        expected: a function of LayerNorm's gain and bias, see `textualization.models.layernorm`.
        sign: -1 for the negated neurons of a study of minima.

    Returns:
        (n,); NaN for neurons that are no output of a LayerNorm or RMSNorm.
    """
    values = np.full(len(neurons), np.nan)
    outputs = (neurons["site"] == "output").to_numpy()
    with safe_open(weights, framework="np") as file:
        architecture = Architecture.read(file.metadata())
        for layer in neurons["layer"][outputs].unique():
            norm = architecture.output_norm(layer)
            if norm is None:
                continue
            gain = file.get_tensor(f"{norm}.gain")
            has_bias = f"{norm}.bias" in file.offset_keys()
            bias = file.get_tensor(f"{norm}.bias") if has_bias else np.zeros_like(gain)
            here = outputs & (neurons["layer"] == layer).to_numpy()
            values[here] = expected(sign * gain, sign * bias)[neurons["index"][here]]
    return values
