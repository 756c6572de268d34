"""Random parts of nulls: matched groups, other words, and what falls to each replicate."""

import numpy as np


def matched_group(group, strata, draw: np.random.Generator) -> np.ndarray:
    """Draw a random group with as many neurons of every stratum as `group` has.

    Args:
        group: (k,), positions of neurons in `strata`.
        strata: (N,), a label per neuron.
        draw: the random generator.

    Returns:
        (k,) distinct positions. Neurons of `group` may be drawn again.
    """
    strata = np.asarray(strata)
    labels, counts = np.unique(strata[np.asarray(group)], return_counts=True)
    drawn = [
        draw.choice(np.flatnonzero(strata == label), count, replace=False)
        for label, count in zip(labels, counts, strict=True)
    ]
    return np.concatenate(drawn)


def quantile_strata(values, parts: int) -> np.ndarray:
    """Number the quantile that each value lies in, from 0 (lowest) to `parts` − 1: (N,), integers."""
    values = np.asarray(values)
    rank = np.empty(len(values), dtype=int)
    rank[np.argsort(values, kind="stable")] = np.arange(len(values))
    return rank * parts // max(len(values), 1)


def derangement(n: int, draw: np.random.Generator) -> np.ndarray:
    """Draw a permutation of n > 1 positions without fixed points: a random cycle through all."""
    order = draw.permutation(n)
    other = np.empty(n, dtype=int)
    other[order] = np.roll(order, 1)
    return other


def dealt(items, draw: int, count: int) -> list:
    """Return the items of one replicate when items are dealt in turn.

    Args:
        items: a sequence.
        draw: number of the replicate, from 0.
        count: number of items per replicate; at most all, since a replicate has no item twice.
    """
    count = min(count, len(items))
    return [items[(draw * count + place) % len(items)] for place in range(count)]
