"""Activations by a corpus's best tokens beside the optima of single neurons and of null models."""

import pandas as pd

from study.objective_names import KEYS, names_of
from study.results import read_tables


def with_sentences(singles: pd.DataFrame, summary) -> pd.DataFrame:
    """Add the activations by the best token of the corpus, and by that of the drawn sentences.

    Args:
        singles: rows of `singles.parquet`.
        summary: the file `sentences_summary.parquet`.

    Returns:
        `singles` with `sentence_activation` and `drawn_activation`.
    """
    found = pd.read_parquet(summary).query("kind == 'singles'").set_index("objective")
    found = found.loc[names_of("singles", singles)].set_index(singles.index)
    return singles.assign(
        sentence_activation=found["activation"], drawn_activation=found["drawn_activation"]
    )


def with_null_sentences(nulls: pd.DataFrame, paths) -> pd.DataFrame:
    """Add what null models reach in the drawn sentences.

    Args:
        nulls: optima of null models, see `study.results.read_nulls`.
        paths: files of `null_model_sentences`; there may be none.

    Returns:
        `nulls` with `drawn_activation` and `utilisation_drawn_sentence`, if there are files.
    """
    if not len(paths):
        return nulls
    found = read_tables(paths).drop(columns="optimum")
    keys = ["null", "draw", *KEYS["singles"]]
    return nulls.merge(found, on=keys, how="left", validate="one_to_one")
