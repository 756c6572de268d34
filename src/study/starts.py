"""Starts of ascents that are not drawn: the mean of some words, or each objective's own word."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from study.stated_words import look_up, usable
from textualization.ascent.protocol import NEURONS, START
from textualization.models.model import Model
from textualization.models.transformer import Tap
from textualization.models.vocabulary import WordLookup


def start_words(
    start: str | Sequence[str], lookup: WordLookup, candidates: np.ndarray, missing: str
) -> np.ndarray:
    """Find the words whose mean embedding is the start.

    Args:
        start: `mean_word` (all candidates), a word, or a list of words.
        lookup: the vocabulary.
        candidates: which entries are candidates, (V,).
        missing: `stop` or `skip`, see `study.stated_words.usable`.

    Returns:
        Their ids.

    Raises:
        VocabularyError: see `study.stated_words.usable`.
    """
    if start == "mean_word":
        return np.flatnonzero(candidates)
    words = [start] if isinstance(start, str) else start
    return usable(look_up(words, lookup), "ascent.start", missing)["id"].to_numpy()


def started(objectives: pd.DataFrame, model: Model, start: str | Path | None) -> pd.DataFrame:
    """Let objectives start at the mean embedding of some words, in the model's own embeddings.

    Args:
        objectives: a table of objectives, see `ascend_objectives`.
        model: the model, or a null model.
        start: file of the words' ids (`id`); None leaves the drawn starts.
    """
    if start is None:
        return objectives
    return at_words(objectives, model, pd.read_parquet(start)["id"].to_numpy())


def at_words(objectives: pd.DataFrame, model: Model, ids: np.ndarray) -> pd.DataFrame:
    """Let all objectives start at the mean embedding of some words, given by their ids."""
    mean = model.embeddings[ids].mean(axis=0)
    return objectives.assign(**{START: [mean] * len(objectives)})


def at_own_words(objectives: pd.DataFrame, model: Model, words: np.ndarray) -> pd.DataFrame:
    """Let every objective start at its own word: a group's target, or what activates a neuron most.

    Args:
        objectives: a table of objectives, with `target` (a word's id; -1 for none).
        model: the model, or a null model.
        words: ids of the words among which the most activating one is sought.
    """
    own = objectives["target"].to_numpy().copy()
    single = np.flatnonzero(own < 0)
    if len(single):
        taps = sorted({Tap(*neurons[0][:2]) for neurons in objectives[NEURONS].iloc[single]})
        found = model.word_activations(words, taps)
        for row in single:
            ((site, layer, index),) = objectives[NEURONS].iloc[row]
            own[row] = words[found[Tap(site, layer)][:, index].argmax()]
    return objectives.assign(**{START: list(model.embeddings[own])})
