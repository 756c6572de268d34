"""The result of `ascend`: optima, compared with the words of their model."""

import functools
import importlib
import logging

import numpy as np
import pandas as pd
import torch

from textualization.analysis.describe import among_words, shares_of_bounds, with_utilisation
from textualization.analysis.explanation import COLUMNS as EXPLANATION
from textualization.analysis.explanation import explanation
from textualization.analysis.similarity import several_nearest_words
from textualization.ascent.exhaustive import by_words
from textualization.ascent.objectives import weighted_sums
from textualization.errors import require_whole
from textualization.models.model import Model
from textualization.optima_arrays import OptimaArrays

#: Columns of `Optima.table`, in order. Columns of targets appear only if an objective's name is a word.
COLUMNS = ["objective", "restart", "size", "sign", "activation", "ceiling", "share_of_ceiling"]
COLUMNS += ["floor", "share_of_floor"]
COLUMNS += ["nearest_word", "nearest_cosine", "best_word", "utilisation_best_word"]
COLUMNS += ["utilisation_nearest_word", "utilisation_mean_word", "start_nearest_cosine"]
COLUMNS += EXPLANATION
COLUMNS += ["target_cosine", "target_rank", "recovered", "finite", "taken"]


class Optima:
    """The optima of neurons, groups and directions of a model, one row each.

    Args:
        model: the model.
        arrays: the optima; their objectives have `objective` (a name), `restart`, `size`, and `sign`.
        neurons: per objective, a list of (site, layer, index) or a dict of weights (see
            `textualization.ascent.objectives.weighted_sums`).
        dtype: that of the ascent, in which bounds are computed; the model's if None.
    """

    def __init__(
        self,
        model: Model,
        arrays: OptimaArrays,
        neurons: list[list | dict],
        dtype: str | None = None,
    ):
        self.model, self.arrays, self.neurons, self.dtype = model, arrays, neurons, dtype

    def __len__(self) -> int:
        return len(self.arrays)

    def __repr__(self) -> str:
        return f"<Optima: {len(self)} of {self.model.name}>"

    @property
    def embedding(self) -> np.ndarray:
        """The optimal inputs e, (n, H); (n, places · H) for several x, in the context's order."""
        return self.arrays.embedding

    @property
    def activation(self) -> np.ndarray:
        """The activation at each optimum, (n,): the lowest one where a minimum is sought."""
        return self.arrays.activation

    @property
    def sign(self) -> np.ndarray:
        """1 where a maximum is sought, -1 where a minimum is, (n,)."""
        return self.arrays.objectives["sign"].to_numpy()

    @functools.cached_property
    def floor(self) -> np.ndarray:
        """Lower bounds on the activation over all inputs, (n,); NaN where there is none."""
        transformer = self.model.transformer(self.dtype)
        return weighted_sums(self.neurons, transformer).floor(transformer).numpy()

    def table(self) -> pd.DataFrame:
        """Describe the optima, one row each.

        Returns:
            `objective`, `restart`, `size` (neurons), `sign` (-1 for a minimum); `activation`;
            `ceiling`, `floor`, and the share of the one that was sought: `share_of_ceiling` of
            maxima, `share_of_floor` of minima below a floor under 0;
            `nearest_word`, `nearest_cosine`; `best_word`, the word that activates the objective most;
            `utilisation_…`, the activation by the best word, by the nearest word and by words on
            average as a share of the optimum's; `start_nearest_cosine`, the nearest word's cosine at
            the start; `explanation…`, `precision_…`, how well the optimum predicts which words
            activate the objective, and `start_explanation`, how well the start does (see
            `textualization.analysis.explanation`). If an objective's name is a word of the model:
            `target_cosine`, `target_rank` (1 = nearest), `recovered`. See docs/columns.md.

            With several x in the model's context, `nearest_word` and the columns on targets are those
            of the x that is read, and there are no utilisations and explanations: how a word activates
            a neuron then depends on the other x.

            For a minimum, `best_word` activates least, utilisations are shares of the negated
            activation, and explanations are those of the negated activations.

        Raises:
            RequestError: the model's words are not known.
        """
        facts, model = self.arrays.facts(), self.model
        words = model.known_words()
        names = words["word"].to_numpy()
        embedding, start = self._inputs(self.arrays.embedding), self._inputs(self.arrays.start)
        among = among_words(embedding[0], start[0], model.embeddings, words, self._targets)
        activation = self.activation
        facts = facts.assign(
            activation=self.sign * activation,
            **shares_of_bounds(activation, self.sign, self.arrays.ceiling, self.floor),
            **{column: among[column].to_numpy() for column in among if column != "nearest"},
        )
        if (self._targets < 0).all():
            facts = facts.drop(columns=["target_cosine", "target_rank", "recovered"])
        if model.places == 1:
            facts = self._compared_with_words(facts, among["nearest"].to_numpy(), names)
        facts = facts.assign(activation=activation)
        return facts[[column for column in COLUMNS if column in facts]]

    def _compared_with_words(self, facts, nearest: np.ndarray, names) -> pd.DataFrame:
        """Add utilisation and explanation to facts with signed activations."""
        model, by_candidates = self.model, self.sign * self._by_candidates
        facts = facts.assign(
            best_word=names[model.candidates][by_candidates.argmax(axis=0)],
            best_word_activation=by_candidates.max(axis=0),
            mean_word_activation=np.abs(by_candidates).mean(axis=0),
            nearest_word_activation=self.sign * self._activations_by(nearest),
            **explanation(
                self.arrays.embedding,
                self.arrays.start,
                model.embeddings[model.candidates],
                by_candidates,
            ),
        )
        return with_utilisation(facts)

    def nearest_words(self, count: int = 5) -> pd.DataFrame:
        """List the candidate words closest to each optimum, by cosine.

        Args:
            count: the number of words.

        Returns:
            `objective`, `restart`, `rank` (1 = nearest), `word`, `cosine`; `count` rows per optimum.
            With several x in the model's context also `place`, and `count` rows per x; the x that is
            read comes first.
        """
        count = require_whole("count", count, 1)
        model, names = self.model, self.model.known_words()["word"]
        found = [
            several_nearest_words(inputs, model.embeddings, model.candidates, count)
            for inputs in self._inputs(self.arrays.embedding)
        ]
        # (n, places, count), optimum by optimum.
        ids, cosines = (np.stack(parts, axis=1) for parts in zip(*found, strict=True))
        _, places, shown = ids.shape
        table = self.arrays.objectives[["objective", "restart"]]
        table = table.loc[table.index.repeat(places * shown)].reset_index(drop=True)
        if places > 1:
            table["place"] = np.tile(np.repeat(self._places, shown), len(self))
        return table.assign(
            rank=np.tile(np.arange(1, shown + 1), len(self) * places),
            word=names.to_numpy()[ids.ravel()],
            cosine=cosines.ravel(),
        )

    def plot(self):
        """Plot the ascents and the nearest words.

        Returns:
            A matplotlib Figure. Left: the activation during each ascent, as a share of the ceiling if
            there is one. Right: the nearest words of the first optima.
        """
        logging.getLogger("matplotlib.font_manager").addFilter(_is_no_notice)
        # By name: no script that ascends depends on matplotlib.
        return importlib.import_module("textualization.report.optima_figure").draw(self)

    @property
    def _places(self) -> list[int]:
        """The places of x in the context, from 1, the one that is read first."""
        own = self.model.place
        return [own, *(place for place in range(1, self.model.places + 1) if place != own)]

    def _inputs(self, inputs: np.ndarray) -> list[np.ndarray]:
        """Return inputs by place, (n, H) each, in the order of `_places`."""
        parts = np.split(inputs, self.model.places, axis=1)
        return [parts[place - 1] for place in self._places]

    @functools.cached_property
    def _targets(self) -> np.ndarray:
        """The id of the candidate word that is the objective's name, or -1; (n,)."""
        ids = np.array([self.model.lookup.find(n) for n in self.arrays.objectives["objective"]])
        return np.where((ids >= 0) & self.model.candidates[ids], ids, -1)

    @functools.cached_property
    def _sums(self):
        return weighted_sums(self.neurons, self.model.word_transformer())

    @functools.cached_property
    def _by_candidates(self) -> np.ndarray:
        """The activations of the objectives by all candidate words, (C, n)."""
        ids = torch.as_tensor(np.flatnonzero(self.model.candidates))
        return by_words(self.model.word_transformer(), self._sums, ids).double().cpu().numpy()

    def _activations_by(self, ids: np.ndarray) -> np.ndarray:
        """Return the activation of each objective by its own word, (n,)."""
        transformer = self.model.word_transformer()
        inputs = transformer.word_embeddings[torch.from_numpy(np.array(ids))]
        return self._sums.at(transformer, inputs).double().cpu().numpy()


def _is_no_notice(record: logging.LogRecord) -> bool:
    """Drop matplotlib's notice that it builds its font cache, once per machine."""
    return "building the font cache" not in record.getMessage()
