"""The result of `ascend_text`: a short text per objective."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from textualization.analysis.describe import shares_of_bounds
from textualization.explanations import explanation_of
from textualization.models.model import Model
from textualization.requested import Requested


@dataclass(repr=False)
class Texts:
    """Texts of t tokens for n objectives.

    model: the model. requested: the objectives.
    ids: the tokens, (n, t). text: the texts, as the tokenizer reads them.
    place: the token that is read, (n,), from 0.
    activation: the objective's own activation there, (n,).
    log_probability: mean over the tokens, in nats, (n,); None unless it was part of what is maximised.
    ceiling, floor: bounds on the activation over all inputs, (n,); NaN where there is none.
    swept: positions at which no other word is better, (n,); all t of them: a local optimum.
    evaluated: number of texts that were evaluated, (n,), by the best restart.
    """

    model: Model
    requested: list[Requested]
    ids: np.ndarray
    text: list[str]
    place: np.ndarray
    activation: np.ndarray
    log_probability: np.ndarray | None
    ceiling: np.ndarray
    floor: np.ndarray
    swept: np.ndarray
    evaluated: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"<Texts: {len(self)} of {self.ids.shape[1]} tokens, of {self.model.name}>"

    @property
    def sign(self) -> np.ndarray:
        """1 where a maximum is sought, -1 where a minimum is, (n,)."""
        return np.array([one.sign for one in self.requested])

    @property
    def embedding(self) -> np.ndarray:
        """The word embedding of the token that is read, (n, H)."""
        return self.model.embeddings[self.ids[np.arange(len(self)), self.place]]

    def table(self) -> pd.DataFrame:
        """Describe the texts, one row each.

        Returns:
            `objective`, `size` (neurons), `sign`; `text`, `tokens` (a list), `place` (of the token that
            is read, from 1) and `token`; `activation`, `ceiling`, `share_of_ceiling`, `floor`,
            `share_of_floor`; `log_probability` (if it was asked for); `swept`, `local_optimum` (no
            other word at any position is better) and `evaluated`.
        """
        words = self.model.known_words()["word"].to_numpy()
        tokens = [words[row].tolist() for row in self.ids]
        table = pd.DataFrame(
            [{"objective": r.name, "size": r.size, "sign": r.sign} for r in self.requested]
        ).assign(
            text=self.text,
            tokens=tokens,
            place=self.place + 1,
            token=[row[place] for row, place in zip(tokens, self.place, strict=True)],
            activation=self.activation,
            **shares_of_bounds(self.activation, self.sign, self.ceiling, self.floor),
            swept=self.swept,
            local_optimum=self.swept == self.ids.shape[1],
            evaluated=self.evaluated,
        )
        if self.log_probability is not None:
            table.insert(table.columns.get_loc("swept"), "log_probability", self.log_probability)
        return table

    def explanation(self) -> pd.DataFrame:
        """Measure how well closeness to the word that is read predicts which words activate.

        Returns:
            A row per objective, over all candidate words, as for an optimum in `Optima.table`:
            `objective`, `explanation`, `explanation_spearman`, `explanation_unsigned`, `precision_…`.
        """
        return explanation_of(self.model, self.requested, self.embedding)
