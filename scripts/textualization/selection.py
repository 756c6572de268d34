"""Which neurons are a word's: selection by absolute or by relative activation (paper, sec. 4)."""

import numpy as np

SELECTIONS = ("absolute", "ratio_to_max", "z_score")


def scores(selection: str, activation, maximum, mean, deviation) -> np.ndarray:
    """How strongly each neuron speaks for a word; all arguments (N,).

    `absolute`: the activation itself. `ratio_to_max`: its share of the neuron's maximum over words.
    `z_score`: its distance from the neuron's mean over words, in deviations.
    Neurons for which the score has no meaning (no positive maximum, no deviation) get -inf.
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
        raise ValueError(f"unknown selection {selection!r} (known: {', '.join(SELECTIONS)})")
    return np.divide(top, bottom, out=np.full_like(activation, -np.inf), where=bottom > 0)


def strongest(score: np.ndarray, count: int) -> np.ndarray:
    """Indices of the `count` highest finite scores, highest first; ties by index.

    Raises ValueError if there are fewer.
    """
    usable = np.isfinite(score)
    if count > usable.sum():
        raise ValueError(
            f"a group of {count} neurons was asked for; only {usable.sum()} can be ranked"
        )
    return np.argsort(np.where(usable, -score, np.inf), kind="stable")[:count]
