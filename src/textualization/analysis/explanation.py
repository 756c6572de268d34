"""Explanation: how well closeness to an input predicts which words activate an objective.

The method assumes that the input which activates a neuron most shows what the neuron encodes. The
vocabulary tests that: an optimum explains its neuron to the extent that words closer to it activate
the neuron more.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from textualization.analysis.similarity import unit

#: Number of most activating words that are looked for among the nearest ones.
TOP = 100
#: Numbers of nearest words among which they are looked for.
NEAR = (100, 1000)
#: Columns of `explanation`.
COLUMNS = ["explanation", "explanation_spearman", "explanation_unsigned"]
COLUMNS += [*(f"precision_{near}" for near in NEAR)]
COLUMNS += ["start_explanation", "start_explanation_unsigned"]
#: Directions that are compared (`textualization.directions`), by what they know of the objective.
DIRECTIONS = ("optimum", "start", "other_optimum", "random_direction", "embedding_covariance")
DIRECTIONS += ("gradient", "best_word", "top_words", "ridge")
#: Number of inputs whose cosines to all words are in memory at once.
_AT_ONCE = 128


def explanation(
    inputs: np.ndarray, starts: np.ndarray, words: np.ndarray, activations: np.ndarray
) -> pd.DataFrame:
    """Measure how well each input explains its objective.

    With c(w) = cos(input, E[w]) and a(w) the objective's activation by the word w, over C words:

    - `explanation`: Pearson's correlation of c and a.
    - `explanation_spearman`: their rank correlation.
    - `explanation_unsigned`: Pearson's correlation of |c| and a. A gated neuron, which multiplies two
      sums of the input, responds nearly alike to e and −e. Its site is to be read by this measure,
      which claims on gated neurons give as well (`study.results.measures_of`).
    - `precision_100`, `precision_1000`: of the 100 words that activate most, the share that is among
      the 100 or 1,000 nearest to the input. NaN unless there are more words than that.
    - `start_explanation`, `start_explanation_unsigned`: Pearson's correlations for the start of the
      ascent.

    Args:
        inputs, starts: n inputs e, and where their ascents started, (n, H).
        words: embeddings of the C words, (C, H).
        activations: of each objective by each word, (C, n). Those of a minimum are to be negated: its
            optimum explains it to the extent that closer words activate it less.

    Returns:
        n rows of COLUMNS. NaN where an input is not finite, or where c or a do not vary.
    """
    found = np.full((len(inputs), len(COLUMNS)), np.nan)
    words = unit(words).astype(np.float64)
    finite = np.isfinite(inputs).all(axis=1) & np.isfinite(activations).all(axis=0)
    finite = np.flatnonzero(finite)
    for rows in _parts(finite):
        a = np.ascontiguousarray(activations[:, rows].T, dtype=np.float64)
        cosine = _cosines(inputs[rows], words)
        ranks = (rankdata(values, axis=1) for values in (cosine, a))
        found[rows, 0] = correlation(cosine, a)
        found[rows, 1] = correlation(*ranks)
        found[rows, 2] = correlation(np.abs(cosine), a)
        found[rows, 3:-2] = _precisions(cosine, a)
        cosine = _cosines(starts[rows], words)
        found[rows, -2] = correlation(cosine, a)
        found[rows, -1] = correlation(np.abs(cosine), a)
    return pd.DataFrame(found, columns=COLUMNS)


def plain_explanation(inputs: np.ndarray, words: np.ndarray, activations: np.ndarray) -> np.ndarray:
    """Measure the `explanation` of n inputs alone, (n,); arguments as of `explanation`."""
    return _correlations(inputs, words, activations, np.asarray)


def unsigned_explanation(
    inputs: np.ndarray, words: np.ndarray, activations: np.ndarray
) -> np.ndarray:
    """Measure the `explanation_unsigned` of n inputs alone, (n,); arguments as of `explanation`."""
    return _correlations(inputs, words, activations, np.abs)


def held_out_explanation(
    inputs: np.ndarray, words: np.ndarray, activations: np.ndarray, used: Sequence[np.ndarray]
) -> np.ndarray:
    """Measure the `explanation` of n inputs, each on the words that it was not made of, (n,).

    Args:
        inputs, words, activations: as of `explanation`.
        used: per input the mask of the words that it was made of, (C,), bool.
    """
    found = [
        plain_explanation(inputs[row : row + 1], words[~own], activations[~own, row : row + 1])
        for row, own in enumerate(used)
    ]
    return np.concatenate(found) if found else np.empty(0)


#: Measures that claims may be about, by their column.
MEASURES = {"explanation": plain_explanation, "explanation_unsigned": unsigned_explanation}


def _correlations(inputs, words, activations, closeness: Callable) -> np.ndarray:
    """Correlate closeness, a function of the cosine, with the activations, (n,)."""
    words, found = unit(words).astype(np.float64), np.full(len(inputs), np.nan)
    for rows in _parts(np.arange(len(inputs))):
        cosine = closeness(_cosines(inputs[rows], words))
        found[rows] = correlation(cosine, activations[:, rows].T)
    return found


def _parts(rows: np.ndarray) -> list[np.ndarray]:
    return np.array_split(rows, -(-len(rows) // _AT_ONCE) or 1)


def _cosines(inputs: np.ndarray, words: np.ndarray) -> np.ndarray:
    return unit(inputs).astype(np.float64) @ words.T


def correlation(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Compute Pearson's correlation of every row of one array with that of another, (n,)."""
    one, other = (
        values - values.mean(axis=1, keepdims=True)
        for values in (np.asarray(one, np.float64), np.asarray(other, np.float64))
    )
    scale = np.sqrt(np.einsum("nc,nc->n", one, one) * np.einsum("nc,nc->n", other, other))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(scale > 0, np.einsum("nc,nc->n", one, other) / scale, np.nan)


def _precisions(cosine: np.ndarray, activations: np.ndarray) -> np.ndarray:
    """Find the share of the TOP most activating words among the nearest ones, (n, len(NEAR))."""
    found = np.full((len(cosine), len(NEAR)), np.nan)
    count = cosine.shape[1]
    if count <= TOP:
        return found
    top = np.argpartition(-activations, TOP - 1, axis=1)[:, :TOP]
    rows = np.arange(len(cosine))[:, None]
    for place, near in enumerate(NEAR):
        if count > near:
            is_near = np.zeros(cosine.shape, dtype=bool)
            is_near[rows, np.argpartition(-cosine, near - 1, axis=1)[:, :near]] = True
            found[:, place] = is_near[rows, top].mean(axis=1)
    return found
