"""Cosine and utilisation of single neurons against their nulls, over the layers that both have.

Each excess has a bootstrap interval that resamples layers and the null's replicates. `p` comes from
a permutation test within layers and is corrected for all tests of the table (Holm). Dominance is
Cliff's delta.
"""

from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from study.job import run
from study.results import coordinates, measures_of, read_nulls
from textualization.analysis.estimates import Intervals, rate
from textualization.analysis.null_comparison import NEURON, Comparison, compared, write_comparisons
from textualization.analysis.similarity import utilisation
from textualization.models.layernorm import expected_magnitude, expected_maximum
from textualization.registry import SIGNS
from textualization.report.tables import TableFiles


def main(
    singles, null_singles, null_inputs, activations, reference, candidates, weights, site, seek,
    start, permutations, intervals: Intervals, files: TableFiles,
) -> None:  # fmt: skip
    neurons = pd.read_parquet(singles)
    neurons = neurons[neurons["site"] == site]
    nulls, inputs = read_nulls(null_singles), pd.read_parquet(null_inputs)
    words = int(pd.read_parquet(candidates)["candidate"].sum())
    rows = _mean("nearest_cosine", neurons, nulls, inputs, start)
    for measure in measures_of(weights, [site]):
        rows += _mean(measure, neurons, nulls, inputs, start)
    sign = SIGNS[seek]
    rows += _best_word(neurons, nulls, activations, reference, weights, words, sign)
    rows += _mean_word(neurons, nulls, weights)
    rows += _nearest_word(neurons, nulls, inputs, start)
    found = [compared(row, permutations, intervals) for row in rows if len(row.nulls)]
    found.append(_nearest_is_best(neurons, words, intervals.confidence))
    write_comparisons(found, files)


def _nearest_is_best(neurons, words, confidence) -> dict:
    """Compare with a random candidate. Chance is known exactly, so only the rate has an interval."""
    hits = neurons.assign(hit=neurons["nearest_word"] == neurons["best_word"])
    value, low, high = rate(hits.groupby(NEURON)["hit"].mean(), confidence)
    first = hits["hit"][hits["restart"] == 0]
    p = binomtest(int(first.sum()), len(first), 1 / words, alternative="two-sided").pvalue
    row = {"claim": "single.nearest_is_best_word", "null_model": "chance", "statistic": "mean"}
    row |= {"n": len(first), "null_n": words, "value": value, "null_value": 1 / words, "p": p}
    row |= {"excess": value - 1 / words, "excess_low": low - 1 / words}
    return row | {"excess_high": high - 1 / words}


def _mean(column, neurons, nulls, inputs, start):
    """Compare means with null models, with the start and with random inputs.

    Explanation is over all words in the model and over the reference words, a sample, in null models.
    """
    claim = f"single.{column}"
    of_start = neurons.assign(draw=0, **{column: neurons[f"start_{column}"]})
    others = [
        *nulls.groupby("null"),
        *([("start", of_start)] if start else []),
        *inputs.groupby("null"),
    ]
    return [Comparison(claim, null, neurons, column, n, column) for null, n in others]


def _best_word(neurons, nulls, activations, reference, weights, words, sign):
    """Compare over the reference words, the only ones that null models are run on."""
    claim, column, median = "single.utilisation.best_word", "utilisation_best_word", np.median
    a, ids = np.load(activations, mmap_mode="r"), pd.read_parquet(reference)["id"].to_numpy()
    rows = zip(neurons["layer"], neurons["index"], strict=True)
    best = [a[layer - 1, ids, index].max() for layer, index in rows]
    same = neurons.assign(over_reference=utilisation(best, neurons["activation"]))
    rows = [
        Comparison(claim, null, same, "over_reference", n, column, statistic=median)
        for null, n in nulls.groupby("null")
    ]
    highest = partial(expected_maximum, words=words)
    geometry = _geometry(neurons, weights, highest, sign)
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


def _geometry(neurons, weights, expected, sign=1) -> pd.DataFrame:
    """Return the activation that LayerNorm's geometry predicts, as a share of the optimum's."""
    value = coordinates(neurons, weights, expected, sign)
    return neurons.assign(draw=0, share=utilisation(value, neurons["activation"]))


if "snakemake" in globals():
    run(main, snakemake)
