"""Optima as arrays, one row per objective. Does not import torch."""

import json
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import safe_open
from safetensors.numpy import save_file

from textualization.files import atomic

#: Metadata key of the table of objectives in a file.
KEY = "objectives"
#: Arrays with one row per objective.
_BY_ROW = ("start", "embedding", "activation", "ceiling", "largest_entries")
_BY_ROW += ("finite", "dead", "taken")


@dataclass
class OptimaArrays:
    """The optima of n objectives.

    objectives: DataFrame, n rows: `site`, `layer`, `index`, or `word`, `size`, …
    start, embedding: e₀ and e, (n, H), float32; (n, length · H) for several free positions.
    activation: (n,), at the last point for solver `paper`, at the best point for all others.
    ceiling: (n,), upper bounds on the activation over all inputs; NaN if there is none.
    largest_entries: (n, entries), ids of the words with the largest entries of x, largest first.
    finite: (n,), False if a value or gradient became non-finite; the last finite point is kept.
    dead: (n,), True if the gradient vanished; the last point is kept.
    taken: (n,), number of steps taken.
    steps: (r,), the recorded steps.
    curve: (r, n), the activation at the recorded steps.
    """

    objectives: pd.DataFrame
    start: np.ndarray
    embedding: np.ndarray
    activation: np.ndarray
    ceiling: np.ndarray
    largest_entries: np.ndarray
    finite: np.ndarray
    dead: np.ndarray
    taken: np.ndarray
    steps: np.ndarray
    curve: np.ndarray

    def __len__(self) -> int:
        return len(self.objectives)

    @classmethod
    def empty(cls, objectives: pd.DataFrame) -> "OptimaArrays":
        """Return arrays of zero optima."""
        arrays = {f.name: np.empty(0) for f in fields(cls) if f.name != "objectives"}
        return cls(objectives=objectives, **arrays)

    def part(self, rows: slice, steps: np.ndarray) -> "OptimaArrays":
        """Return some of the optima, with their curves at some of the recorded steps."""
        of_rows = {name: getattr(self, name)[rows] for name in _BY_ROW}
        recorded = np.isin(self.steps, steps)
        return OptimaArrays(
            objectives=self.objectives.iloc[rows].reset_index(drop=True),
            **of_rows,
            steps=self.steps[recorded],
            curve=self.curve[recorded, rows],
        )

    def save(self, path: str | Path) -> None:
        """Write the optima to one safetensors file, atomically."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "objectives"}
        # By column, since JSON preserves strings, integers and booleans.
        kept = json.dumps({str(c): self.objectives[c].tolist() for c in self.objectives})
        with atomic(path) as file:
            arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
            save_file(arrays, file, metadata={KEY: kept})

    @classmethod
    def load(cls, path: str | Path) -> "OptimaArrays":
        """Read a file that `save` wrote."""
        with safe_open(path, framework="np") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            objectives = pd.DataFrame(json.loads(file.metadata()[KEY]))
        return cls(objectives=objectives, **arrays)

    def facts(self) -> pd.DataFrame:
        """Return the objectives' columns with each optimum's activation, ceiling and status."""
        kept = ("activation", "ceiling", "finite", "dead", "taken")
        facts = self.objectives.assign(**{name: getattr(self, name) for name in kept})
        facts["largest_entries"] = list(self.largest_entries)
        return facts.assign(start_activation=self.curve[0])

    def with_curves(self, table: pd.DataFrame) -> pd.DataFrame:
        """Add each optimum's curve to a table of these optima, as lists `steps` and `curve`."""
        return table.assign(
            steps=[self.steps] * len(table), curve=list(np.ascontiguousarray(self.curve.T))
        )

    def curves(self, first_row: int = 0) -> pd.DataFrame:
        """Return the curves in long form: `row` (counted from `first_row`), `step`, `activation`."""
        recorded, n = self.curve.shape
        return pd.DataFrame(
            {
                "row": np.tile(np.arange(first_row, first_row + n), recorded),
                "step": np.repeat(self.steps, n),
                "activation": self.curve.ravel(),
            }
        )
