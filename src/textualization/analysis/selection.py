"""Selection of a word's neurons by absolute or relative activation (paper, sec. 4)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

SELECTIONS = ("absolute", "ratio_to_max", "z_score")


def scores(selection: str, activation, maximum, mean, deviation) -> np.ndarray:
    """Score each neuron for a word.

    Args:
        selection: `absolute`, the activation; `ratio_to_max`, the activation divided by the neuron's
            maximum over words; `z_score`, (activation − mean) / standard deviation over words.
        activation: activations by the word, (N,).
        maximum, mean, deviation: statistics of the neurons over words, (N,).

    Returns:
        (N,); -inf where the divisor is not positive.

    Raises:
        ValueError: the selection is unknown.
    """
    activation, maximum, mean, deviation = (
        np.asarray(a, dtype=np.float64) for a in (activation, maximum, mean, deviation)
    )
    if selection == "absolute":
        return activation
    if selection == "ratio_to_max":
        top, bottom = activation, maximum
    elif selection == "z_score":
        top, bottom = activation - mean, deviation
    else:
        raise ValueError(f"unknown selection {selection!r} (allowed: {', '.join(SELECTIONS)})")
    return np.divide(top, bottom, out=np.full_like(activation, -np.inf), where=bottom > 0)


def strongest(score: np.ndarray, count: int) -> np.ndarray:
    """Return the indices of the `count` highest finite scores, highest first; ties by index.

    Raises:
        ValueError: there are fewer finite scores.
    """
    usable = np.isfinite(score)
    if count > usable.sum():
        raise ValueError(
            f"a group of {count} neurons was requested; only {usable.sum()} can be ranked"
        )
    return np.argsort(np.where(usable, -score, np.inf), kind="stable")[:count]


def strongest_neurons(selection: str, activation, pool, count: int) -> np.ndarray:
    """Return the rows of the `count` neurons that `ranked_neurons` ranks first.

    Raises:
        ValueError: fewer neurons can be ranked.
    """
    return strongest(_scores_in(selection, activation, pool), count)


def ranked_neurons(selection: str, activation, pool) -> tuple[np.ndarray, np.ndarray]:
    """Rank the neurons of a pool by their scores, highest first; non-finite scores are left out.

    Args:
        selection: one of SELECTIONS.
        activation: activations of the pool's neurons by the word, (N,).
        pool: the neurons, a row each; with `max`, `mean` and `std` over words for relative selection.

    Returns:
        Rows of the pool, and their scores.
    """
    score = _scores_in(selection, activation, pool)
    order = strongest(score, int(np.isfinite(score).sum()))
    return order, score[order]


def _scores_in(selection, activation, pool) -> np.ndarray:
    over_words = (pool.get(name, np.nan) for name in ("max", "mean", "std"))
    return scores(selection, activation, *over_words)


def all_neurons(site: str, layers: int, width: int | Sequence[int]) -> pd.DataFrame:
    """List all neurons of a site, layer by layer: `site`, `layer`, `index`.

    width: number of neurons of every layer, or of each.
    """
    widths = np.broadcast_to(width, layers)
    layer = np.repeat(np.arange(1, layers + 1), widths)
    index = np.concatenate([np.arange(of_layer) for of_layer in widths])
    return pd.DataFrame({"site": site, "layer": layer, "index": index})


def neuron_tuples(neurons: pd.DataFrame) -> list[tuple[str, int, int]]:
    """Return rows `site`, `layer`, `index` as tuples."""
    return list(zip(neurons["site"], neurons["layer"], neurons["index"], strict=True))
