"""Single neurons' headline numbers beside their nulls, over the layers that both have."""

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from comparing import NEURON, Comparison, compared, write_comparisons
from optima import coordinates, read_nulls
from running import run
from textualization.estimates import rate
from textualization.geometry import expected_magnitude, expected_maximum
from textualization.similarity import utilisation


def main(
    singles, null_singles, null_inputs, activations, reference, candidates, weights, site, start,
    confidence, resamples, permutations, seed, csv, md, tex, html,
) -> None:  # fmt: skip
    how = {"confidence": confidence, "resamples": resamples, "seed": seed}
    neurons = pd.read_parquet(singles)
    neurons = neurons[neurons["site"] == site]
    nulls, inputs = read_nulls(null_singles), pd.read_parquet(null_inputs)
    words = int(pd.read_parquet(candidates)["candidate"].sum())
    rows = _nearest_cosine(neurons, nulls, inputs, start)
    rows += _best_word(neurons, nulls, activations, reference, weights, words)
    rows += _mean_word(neurons, nulls, weights)
    rows += _nearest_word(neurons, nulls, inputs, start)
    found = [compared(row, permutations, **how) for row in rows if len(row.nulls)]
    found.append(_nearest_is_best(neurons, words, confidence))
    write_comparisons(found, csv, md, tex, html)


def _nearest_is_best(neurons, words, confidence) -> dict:
    """Beside a candidate named at random: chance is known exactly, so only the rate has an interval."""
    hits = neurons.assign(hit=neurons["nearest_word"] == neurons["best_word"])
    value, low, high = rate(hits.groupby(NEURON)["hit"].mean(), confidence)
    first = hits["hit"][hits["restart"] == 0]
    p = binomtest(int(first.sum()), len(first), 1 / words, alternative="two-sided").pvalue
    row = {"claim": "single.nearest_is_best_word", "null_model": "chance", "statistic": "mean"}
    row |= {"n": len(first), "null_n": words, "value": value, "null_value": 1 / words, "p": p}
    row |= {"excess": value - 1 / words, "excess_low": low - 1 / words}
    return row | {"excess_high": high - 1 / words}


def _nearest_cosine(neurons, nulls, inputs, start):
    claim, column = "single.nearest_cosine", "nearest_cosine"
    rows = [
        Comparison(claim, null, neurons, column, n, column) for null, n in nulls.groupby("null")
    ]
    if start:
        of_start = neurons.assign(draw=0)
        rows.append(Comparison(claim, "start", neurons, column, of_start, "start_nearest_cosine"))
    return rows + [
        Comparison(claim, null, neurons, column, n, column) for null, n in inputs.groupby("null")
    ]


def _best_word(neurons, nulls, activations, reference, weights, words):
    """Null models know some words only, so the model is compared over the same."""
    claim, column, median = "single.utilisation.best_word", "utilisation_best_word", np.median
    a, ids = np.load(activations, mmap_mode="r"), pd.read_parquet(reference)["id"].to_numpy()
    rows = zip(neurons["layer"], neurons["index"], strict=True)
    best = [a[layer - 1, ids, index].max() for layer, index in rows]
    same = neurons.assign(over_reference=utilisation(best, neurons["activation"]))
    rows = [
        Comparison(claim, null, same, "over_reference", n, column, statistic=median)
        for null, n in nulls.groupby("null")
    ]
    geometry = _geometry(neurons, weights, lambda gain, bias: expected_maximum(gain, bias, words))
    return rows + [
        Comparison(
            claim, "layernorm_geometry", neurons, column, geometry, "share", statistic=median
        )
    ]


def _mean_word(neurons, nulls, weights):
    claim, column, median = "single.utilisation.mean_word", "utilisation_mean_word", np.median
    rows = [
        Comparison(claim, null, neurons, column, n, column, statistic=median)
        for null, n in nulls.groupby("null")
    ]
    geometry = _geometry(neurons, weights, expected_magnitude)
    return rows + [
        Comparison(
            claim, "layernorm_geometry", neurons, column, geometry, "share", statistic=median
        )
    ]


def _nearest_word(neurons, nulls, inputs, start):
    claim, column, median = "single.utilisation.nearest_word", "utilisation_nearest_word", np.median
    rows = [
        Comparison(claim, null, neurons, column, n, column, statistic=median)
        for null, n in nulls.groupby("null")
    ]
    if start:
        share = utilisation(neurons["start_activation"], neurons["activation"])
        of_start = neurons.assign(draw=0, share=share)
        rows.append(
            Comparison(claim, "start", neurons, column, of_start, "share", statistic=median)
        )
    random = inputs[inputs["null"] == "random_word"]
    optimum = neurons.groupby(NEURON)["activation"].mean().rename("optimum")
    random = random.join(optimum, on=NEURON)
    random = random.assign(share=utilisation(random["activation"], random["optimum"]))
    return rows + [
        Comparison(claim, "random_word", neurons, column, random, "share", statistic=median)
    ]


def _geometry(neurons, weights, expected) -> pd.DataFrame:
    """What LayerNorm's geometry lets expect of each neuron, as a share of its optimum's activation."""
    value = coordinates(neurons, weights, expected)
    return neurons.assign(draw=0, share=utilisation(value, neurons["activation"]))


if "snakemake" in globals():
    run(
        main,
        snakemake,
        singles=snakemake.input.singles,
        null_singles=snakemake.input.null_singles,
        null_inputs=snakemake.input.null_inputs,
        activations=snakemake.input.activations,
        reference=snakemake.input.reference,
        candidates=snakemake.input.candidates,
        weights=snakemake.input.weights,
        **dict(snakemake.params.items()),
        **dict(snakemake.output.items()),
    )
