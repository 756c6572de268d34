"""Null models: the model's weights, changed by a rule. Each replicate has its own seed."""

from collections.abc import Callable

import numpy as np

from textualization import registry
from textualization.draws import generator
from textualization.models.architecture import Architecture

#: Names of the tensors of word embeddings.
WORDS = ("word_embeddings",)
#: Prefix of tensors that are not trained; null models keep them.
CONSTANT = "constant."


def derive(null: str, tensors: dict, facts: dict, seed: int, draw: int) -> dict[str, np.ndarray]:
    """Compute the weights of one replicate of a null model.

    Args:
        null: a key of NULL_MODELS.
        tensors, facts: the model's, from `textualization.models.conversion.convert`, as arrays.
        seed: the study's seed.
        draw: number of the replicate, from 0.

    Returns:
        Tensors of the same names, and `rotated_basis`'s own, float32.

    Raises:
        ValueError: the null is unknown.
    """
    if null not in NULL_MODELS:
        raise ValueError(f"unknown null model {null!r} (allowed: {', '.join(NULL_MODELS)})")

    def draws(name):
        return generator(seed, "null", null, draw, name)

    return NULL_MODELS[null](tensors, facts, draws)


def permuted(tensors: dict, facts: dict, draws: Callable) -> dict[str, np.ndarray]:
    """Shuffle the entries of each tensor."""
    return {
        name: tensor
        if name.startswith(CONSTANT)
        else draws(name).permutation(tensor.ravel()).reshape(tensor.shape)
        for name, tensor in tensors.items()
    }


def permuted_keep_embeddings(tensors: dict, facts: dict, draws: Callable) -> dict[str, np.ndarray]:
    """Shuffle the entries of each tensor except the word embeddings."""
    return permuted({k: t for k, t in tensors.items() if k not in WORDS}, facts, draws) | {
        k: tensors[k] for k in WORDS
    }


def untrained(tensors: dict, facts: dict, draws: Callable) -> dict[str, np.ndarray]:
    """Initialise the weights as the package transformers does before training.

    Matrices and embeddings are normal with the deviations of the `Architecture`, biases 0, gains 1, and
    the embedding of the padding token 0.
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
    """Return the part that a tensor belongs to, such as `output` for `block.2.output.weight`."""
    return name.removesuffix(".weight").split(".")[-1]


def _normal(dice: np.random.Generator, shape, cutoff: float) -> np.ndarray:
    """Draw standard normal values, truncated at ±cutoff (0: not truncated)."""
    drawn = dice.standard_normal(shape, dtype=np.float32)
    while cutoff and (beyond := np.abs(drawn) > cutoff).any():
        drawn[beyond] = dice.standard_normal(beyond.sum(), dtype=np.float32)
    return drawn


def rotated_basis(tensors: dict, facts: dict, draws: Callable) -> dict[str, np.ndarray]:
    """Keep the weights, but replace neurons by random orthogonal directions of the same states.

    The layers compute the same states. `basis.<site>.<layer>`, (width, width), has a direction per row,
    and activations are the states' coordinates along these directions.
    """
    architecture = Architecture.read(facts)
    bases = {
        f"basis.{site}.{layer}": random_rotation(architecture.width(site), draws(f"{site}/{layer}"))
        for site in ("output", "intermediate")
        for layer in range(1, architecture.layers + 1)
    }
    return dict(tensors) | bases


NULL_MODELS = {name: globals()[name] for name in registry.NULL_MODELS}


def random_rotation(width: int, draw: np.random.Generator) -> np.ndarray:
    """Draw a uniformly distributed orthogonal matrix, (width, width), float32 (Mezzadri 2007)."""
    q, r = np.linalg.qr(draw.standard_normal((width, width)))
    return (q * np.sign(np.diag(r))).astype(np.float32)
