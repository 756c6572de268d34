"""Twins: optima of the same objectives from starts that differ by one rounding."""

import numpy as np
import pandas as pd

from textualization.analysis.estimates import rate

#: Columns that identify an optimum, by kind of objective.
KEYS = {
    "singles": ["site", "layer", "index", "restart"],
    "groups": ["word", "selection", "scope", "scope_layer", "size", "restart"],
}


def place_of_each(own: pd.DataFrame, twins: pd.DataFrame, keys: list[str]) -> np.ndarray:
    """Find the row of every twin's optimum among the study's own, by `keys`: (twins,).

    Raises:
        ValueError: a twin has no row.
    """
    places = own[keys].assign(place=np.arange(len(own)))
    found = twins[keys].merge(places, on=keys, how="left", validate="one_to_one")["place"]
    if found.isna().any():
        missing = "/".join(map(str, twins[keys][found.isna().to_numpy()].iloc[0]))
        raise ValueError(f"twins: the study has no optimum of {missing}")
    return found.to_numpy(dtype=int)


def differences(own, twins, own_embeddings, twin_embeddings) -> pd.DataFrame:
    """Compare every optimum with its twin.

    Args:
        own, twins: described optima in the same order, n rows.
        own_embeddings, twin_embeddings: e, (n, H).

    Returns:
        A row per twin: `elsewhere` (another word is nearest), `cosine` of the two optima, `change` of
        the activation as a share of the larger one.
    """
    one, other = (
        e / np.linalg.norm(e, axis=1, keepdims=True)
        for e in (np.asarray(e, dtype=np.float64) for e in (own_embeddings, twin_embeddings))
    )
    values = np.stack([own["activation"], twins["activation"]]).astype(np.float64)
    largest = np.abs(values).max(axis=0)
    return pd.DataFrame(
        {
            "elsewhere": own["nearest_word"].to_numpy() != twins["nearest_word"].to_numpy(),
            "cosine": np.einsum("nh,nh->n", one, other),
            "change": np.abs(np.diff(values, axis=0)[0]) / np.where(largest > 0, largest, 1),
        }
    )


def summary(found: pd.DataFrame, confidence: float) -> dict:
    """Summarise the table of `differences`: counts, the share elsewhere with its Wilson interval."""
    share = rate(found["elsewhere"], confidence)
    return {
        "twins": len(found),
        "elsewhere": int(found["elsewhere"].sum()),
        **dict(zip(("share", "ci_low", "ci_high"), share, strict=True)),
        "median_cosine": found["cosine"].median(),
        "smallest_cosine": found["cosine"].min(),
        "largest_change": found["change"].max(),
    }
