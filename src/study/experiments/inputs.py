"""What an experiment reads of a study, for the model and its null models alike."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tokenizers import Tokenizer

from study.experiments.context_table import Context, read_contexts
from study.experiments.objectives import ExperimentObjectives, requested_words
from study.models import open_model
from textualization.ascent.protocol import Protocol
from textualization.models.tokenizer import load_tokenizer
from textualization.models.vocabulary import WordLookup


@dataclass(frozen=True)
class ExperimentInputs:
    """What an experiment reads of a study.

    words: the vocabulary: `word`, `candidate`, ….
    tokenizer: of the model and its null models.
    reference: ids of the words over which neurons are summarised for relative selection.
    contexts: sentences and phrases; empty if the experiment needs none.
    chosen: the words of the experiment's groups: `word`, `id`.
    reading: how models are read: `read`, `seek` and `dtype`.
    seed: of the choice of words, neurons and items.
    """

    words: pd.DataFrame
    tokenizer: Tokenizer
    reference: np.ndarray
    contexts: list[Context]
    chosen: pd.DataFrame
    reading: Mapping
    seed: int

    @classmethod
    def read(
        cls,
        candidates: str | Path,
        reference: str | Path,
        targets: str | Path,
        tokenizer: str | Path,
        contexts: Iterable[str | Path],
        conditions: Mapping[str, dict],
        requested: dict,
        seed: int,
    ) -> "ExperimentInputs":
        """Read an experiment's files, and choose the words of its groups.

        Args:
            candidates: the vocabulary.
            reference: the words over which neurons are summarised: `id`.
            targets: the study's target words: `word`, `id`.
            tokenizer: a tokenizer.json.
            contexts: tables of contexts, see `study.experiments.context_table`.
            conditions: the conditions, resolved ones; all are read as the first one is.
            requested: the experiment's objectives, see `study.config.experiments.requested`.
            seed: seed of all choices.
        """
        words, tokenizer = pd.read_parquet(candidates), load_tokenizer(tokenizer)
        contexts = [context for path in contexts for context in read_contexts(path)]
        chosen = requested_words(
            requested,
            pd.read_parquet(targets),
            WordLookup(words, tokenizer),
            words["candidate"].to_numpy(),
            contexts,
            seed,
        )
        return cls(
            words=words,
            tokenizer=tokenizer,
            reference=pd.read_parquet(reference)["id"].to_numpy(),
            contexts=contexts,
            chosen=chosen,
            reading=Protocol(**next(iter(conditions.values()))["protocol"]).reading,
            seed=seed,
        )

    def open(
        self, weights: str | Path, replicate: int = 0, replicates: int = 1, context=(), **options
    ) -> ExperimentObjectives:
        """Open the model, or a replicate of a null model, and return its neurons.

        Args:
            weights: the file of its tensors.
            replicate, replicates: its part of the words, neurons and items, see `ExperimentObjectives`.
            context: the file of the sentence around x; empty if x stands alone.
            options: further arguments of `Model`.
        """
        options = {"tokenizer": self.tokenizer, **options}
        model = open_model(weights, self.reading, self.words, context, **options)
        return ExperimentObjectives(
            model, self.reference, self.contexts, self.seed, replicate, replicates
        )
