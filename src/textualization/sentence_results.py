"""The result of `best_sentences`: tokens of a corpus in their sentences, and quantiles."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from textualization.analysis.describe import shares_of_bounds
from textualization.analysis.similarity import utilisation
from textualization.errors import RequestError
from textualization.explanations import explanation_of
from textualization.models.model import Model
from textualization.optima import Optima
from textualization.requested import Requested


@dataclass
class Counts:
    """What was read of a corpus.

    sentences: those with a token. tokens: theirs, without special tokens. empty: sentences without a
    token, which were skipped. cut: sentences that were cut at the model's last position.
    """

    sentences: int = 0
    tokens: int = 0
    empty: int = 0
    cut: int = 0


@dataclass(repr=False)
class BestSentences:
    """The tokens of a corpus that activate n objectives most.

    model: the model. requested: the objectives.
    counts: what was read.
    kept: per objective its highest readings, `textualization.analysis.running.Highest.FACTS`.
    sentences: the sentences of these by number: `text`, `ids`, `offsets`.
    mean: the mean activation over all tokens, (n,).
    quantiles: by share, the activation that this share of tokens does not exceed, (n,).
    sampled: the number of tokens that quantiles are of.
    ceiling, floor: bounds on the activation over all inputs, (n,); NaN where there is none.
    """

    model: Model
    requested: list[Requested]
    counts: Counts
    kept: list[np.ndarray]
    sentences: dict
    mean: np.ndarray
    quantiles: dict[float, np.ndarray]
    sampled: int
    ceiling: np.ndarray
    floor: np.ndarray

    def __len__(self) -> int:
        return len(self.requested)

    def __repr__(self) -> str:
        of = f"{self.counts.tokens} tokens in {self.counts.sentences} sentences"
        return f"<BestSentences: {len(self)} objectives of {self.model.name}, {of}>"

    @property
    def sign(self) -> np.ndarray:
        """1 where the highest activations are listed, -1 where the lowest are, (n,)."""
        return np.array([one.sign for one in self.requested])

    @property
    def activation(self) -> np.ndarray:
        """The activation by the best token, (n,)."""
        return self.sign * np.array([kept["value"][0] for kept in self.kept])

    @property
    def ids(self) -> list[list[int]]:
        """The listed tokens' ids, per objective, the best first."""
        return [[self._id(row) for row in kept] for kept in self.kept]

    @property
    def embedding(self) -> np.ndarray:
        """The mean word embedding of the listed tokens, (n, H)."""
        return np.stack([self.model.embeddings[rows].mean(axis=0) for rows in self.ids])

    def table(self) -> pd.DataFrame:
        """List the tokens that activate each objective most.

        Returns:
            A row per objective and token: `objective`, `sign`, `rank` (1 = most), `activation`,
            `sentence` (its number from 1: of a file, the line), `position` (the token's, from 1),
            `token`, `start` and `end` (of the token in the text), `text` (the sentence, unchanged).
        """
        words = self.model.known_words()["word"].to_numpy()
        rows = []
        for one, kept in zip(self.requested, self.kept, strict=True):
            for rank, row in enumerate(kept, start=1):
                sentence, place = self.sentences[row["sentence"]], row["place"]
                start, end = sentence.offsets[place]
                rows.append(
                    {"objective": one.name, "sign": one.sign, "rank": rank}
                    | {"activation": one.sign * row["value"], "sentence": sentence.number}
                    | {"position": int(place) + 1, "token": words[sentence.ids[place]]}
                    | {"start": start, "end": end, "text": sentence.text}
                )
        return pd.DataFrame(rows)

    def summary(self, optima: Optima | None = None) -> pd.DataFrame:
        """Describe what the corpus reaches, one row per objective.

        Args:
            optima: optima of all these objectives, as `ascend` returned them, in any order.

        Returns:
            `objective`, `size` (neurons), `sign`, `tokens`; `activation` (by the best token),
            `ceiling`, `share_of_ceiling`, `floor`, `share_of_floor`; `mean` over tokens,
            `quantile_<share>`, and `quantile_tokens`, the number of tokens these are of. With `optima`:
            `optimum`, the activation of the best restart, and `utilisation_best_token`, the share of it
            that the best token reaches (empty unless the optimum is above 0; of a minimum, both are
            negated first).

        Raises:
            RequestError: an objective has no optimum among `optima`.
        """
        table = pd.DataFrame(
            [{"objective": r.name, "size": r.size, "sign": r.sign} for r in self.requested]
        ).assign(
            tokens=self.counts.tokens,
            activation=self.activation,
            **shares_of_bounds(self.activation, self.sign, self.ceiling, self.floor),
            mean=self.mean,
            **{f"quantile_{share:g}": found for share, found in self.quantiles.items()},
            quantile_tokens=self.sampled,
        )
        if optima is None:
            return table
        best = np.array([_best(optima, one) for one in self.requested])
        share = utilisation(self.sign * self.activation, self.sign * best)
        return table.assign(optimum=best, utilisation_best_token=share)

    def explanation(self) -> pd.DataFrame:
        """Measure how well closeness to the listed tokens' mean embedding predicts activations.

        Returns:
            A row per objective, over all candidate words, as for an optimum in `Optima.table`:
            `objective`, `explanation`, `explanation_spearman`, `explanation_unsigned`, `precision_…`.
        """
        return explanation_of(self.model, self.requested, self.embedding)

    def _id(self, row) -> int:
        return self.sentences[row["sentence"]].ids[row["place"]]


def _best(optima: Optima, one: Requested) -> float:
    """Return the activation of an objective's best restart."""
    of = optima.arrays.objectives
    rows = np.flatnonzero((of["objective"] == one.name) & (of["sign"] == one.sign))
    if not len(rows):
        raise RequestError(
            f"optima: none is of {one.name!r} with sign {one.sign} (has: "
            f"{', '.join(of['objective'].unique()[:5])})"
        )
    return one.sign * np.max(one.sign * optima.activation[rows])
