"""Null models and null groups: what numbers look like where nothing was learned, or nothing selected.

A null model is a model's weights changed by a rule; a null group is drawn at random, matched to a group
in what should not matter. Each draw has a seed of its own, so that draws can be counted as replicates.
"""

from collections.abc import Callable

import numpy as np

from textualization.architecture import Architecture
from textualization.starts import generator

#: The tensors that hold the words.
WORDS = ("word_embeddings",)
#: What tensors' names begin with that no training has touched, nor should a null.
CONSTANT = "constant."


def derive(null: str, tensors: dict, facts: dict, seed: int, draw: int) -> dict[str, np.ndarray]:
    """The weights of one draw of a null model.

    null: a key of NULL_MODELS. tensors, facts: of the model, as `textualization.freezing.freeze` gives
    them, as arrays. Returns tensors of the same names (and more, see `rotated_basis`), float32.
    Raises ValueError for an unknown null.
    """
    if null not in NULL_MODELS:
        raise ValueError(f"unknown null model {null!r} (known: {', '.join(NULL_MODELS)})")

    def draws(name):
        return generator(seed, "null", null, draw, name)

    return NULL_MODELS[null](tensors, facts, draws)


def permuted(tensors: dict, facts: dict, draws: Callable) -> dict[str, np.ndarray]:
    """Each tensor's entries shuffled: its values are kept, their places mean nothing any more."""
    return {
        name: tensor
        if name.startswith(CONSTANT)
        else draws(name).permutation(tensor.ravel()).reshape(tensor.shape)
        for name, tensor in tensors.items()
    }


def permuted_keep_embeddings(tensors: dict, facts: dict, draws: Callable) -> dict[str, np.ndarray]:
    """All tensors shuffled but the word embeddings: the words lie as they do, nothing reads them."""
    return permuted({k: t for k, t in tensors.items() if k not in WORDS}, facts, draws) | {
        k: tensors[k] for k in WORDS
    }


def untrained(tensors: dict, facts: dict, draws: Callable) -> dict[str, np.ndarray]:
    """The architecture's own initialisation: what transformers draws before any training.

    Matrices and embeddings are normal with the deviations of the `Architecture`, biases 0, gains 1, the
    padding entry's embedding 0.
    """
    architecture = Architecture.read(facts)
    deviations, drawn = dict(architecture.initial), {}
    for name, tensor in tensors.items():
        if name.startswith(CONSTANT):
            drawn[name] = tensor
        elif name.endswith(".bias"):
            drawn[name] = np.zeros_like(tensor)
        elif name.endswith(".gain"):
            drawn[name] = np.ones_like(tensor)
        else:
            scale = deviations.get(_part(name), architecture.initializer_range)
            drawn[name] = scale * _normal(draws(name), tensor.shape, architecture.cutoff)
    if architecture.padding >= 0:
        drawn["word_embeddings"][architecture.padding] = 0
    return drawn


def _part(name: str) -> str:
    """What a tensor belongs to: `output` of `block.2.output.weight`, `word_embeddings` of itself."""
    return name.removesuffix(".weight").split(".")[-1]


def _normal(dice: np.random.Generator, shape, cutoff: float) -> np.ndarray:
    """Standard normal draws, none beyond the cutoff if there is one (0: none is)."""
    drawn = dice.standard_normal(shape, dtype=np.float32)
    while cutoff and (beyond := np.abs(drawn) > cutoff).any():
        drawn[beyond] = dice.standard_normal(beyond.sum(), dtype=np.float32)
    return drawn


def rotated_basis(tensors: dict, facts: dict, draws: Callable) -> dict[str, np.ndarray]:
    """The model itself, its neurons replaced by random orthogonal directions of the same states.

    What a layer computes is untouched; `basis.<site>.<layer>`, (width, width), holds a direction per
    row, and activations are read along these: are neurons special among directions?
    """
    architecture = Architecture.read(facts)
    bases = {
        f"basis.{site}.{layer}": random_rotation(architecture.width(site), draws(f"{site}/{layer}"))
        for site in ("output", "intermediate")
        for layer in range(1, architecture.layers + 1)
    }
    return dict(tensors) | bases


NULL_MODELS = {
    function.__name__: function
    for function in (permuted, permuted_keep_embeddings, untrained, rotated_basis)
}


def random_rotation(width: int, draw: np.random.Generator) -> np.ndarray:
    """An orthogonal matrix, (width, width), float32, uniform over all (Mezzadri 2007)."""
    q, r = np.linalg.qr(draw.standard_normal((width, width)))
    return (q * np.sign(np.diag(r))).astype(np.float32)


def matched_group(group, strata, draw: np.random.Generator) -> np.ndarray:
    """As many neurons of every stratum as `group` has, drawn from all of the stratum's.

    group: (k,), places of neurons. strata: (N,), a label for every neuron. Returns (k,) places, none
    twice; neurons of the group itself may come again, as chance has it.
    """
    strata = np.asarray(strata)
    labels, counts = np.unique(strata[np.asarray(group)], return_counts=True)
    drawn = [
        draw.choice(np.flatnonzero(strata == label), count, replace=False)
        for label, count in zip(labels, counts, strict=True)
    ]
    return np.concatenate(drawn)


def quantile_strata(values, parts: int) -> np.ndarray:
    """Which of `parts` equally large parts each value falls in, from the lowest: (N,), whole numbers."""
    values = np.asarray(values)
    rank = np.empty(len(values), dtype=int)
    rank[np.argsort(values, kind="stable")] = np.arange(len(values))
    return rank * parts // max(len(values), 1)


def derangement(n: int, draw: np.random.Generator) -> np.ndarray:
    """For each of n places another one, each once: a random cycle through all. n must be above 1."""
    order = draw.permutation(n)
    other = np.empty(n, dtype=int)
    other[order] = np.roll(order, 1)
    return other


def dealt(items, draw: int, count: int) -> list:
    """What falls to a draw when items are dealt in turn, `count` to each draw; no item twice in one."""
    count = min(count, len(items))
    return [items[(draw * count + place) % len(items)] for place in range(count)]
