"""Random draws, each keyed by the seed of a study and a name: they depend on nothing else."""

import hashlib

import numpy as np


def generator(seed: int, *identity) -> np.random.Generator:
    """Return a counter-based generator (Philox) keyed by a seed and an identity."""
    name = "/".join(str(part) for part in (seed, *identity))
    key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=16).digest(), "little")
    return np.random.Generator(np.random.Philox(key=key))


def drawn_neurons(seed: int, site: str, layer: int, width: int, count) -> np.ndarray:
    """Draw `count` neurons of a layer (`all`: every neuron); return their sorted indices."""
    if count == "all":
        return np.arange(width)
    return np.sort(generator(seed, "neurons", site, layer).permutation(width)[:count])


def runs(seed: int, items, restarts: int, repeated, *identity) -> list[tuple]:
    """List every item with its restarts.

    Args:
        seed: seed of the study.
        items: the items.
        restarts: number of starts of a repeated item; other items have one.
        repeated: number of items, drawn at random, that are repeated, or `all`.
        identity: further keys of the draw.

    Returns:
        Pairs (item, restart), with restart from 0.
    """
    items = list(items)
    count = len(items) if repeated == "all" else min(repeated, len(items))
    chosen = set(generator(seed, "repeated", *identity).permutation(len(items))[:count].tolist())
    return [
        (item, restart)
        for place, item in enumerate(items)
        for restart in range(restarts if place in chosen else 1)
    ]
