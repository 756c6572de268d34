"""What is kept of a stream of activations: the highest ones, and quantiles."""

import numpy as np


class Highest:
    """The highest values of n objectives in a stream, each with where it was read.

    What is read twice is kept once, where it was read first. Of equal values the earlier is higher.

    Args:
        count: n, the number of objectives.
        top: the number of values per objective.
    """

    #: sentence: its number. place: the token's, from 0. key: equal for equal readings.
    FACTS = [("value", "f8"), ("sentence", "i8"), ("place", "i8"), ("key", "i8")]

    def __init__(self, count: int, top: int):
        self.top = top
        self.kept = [np.empty(0, self.FACTS) for _ in range(count)]
        self.least = np.full(count, -np.inf)

    def add(self, values: np.ndarray, facts: np.ndarray) -> None:
        """Add values (m, n), read at m places: facts (m,) of FACTS without values."""
        if len(values) > self.top:
            own = np.partition(values, -self.top, axis=0)[-self.top]
            above = values >= np.maximum(own, self.least)
        else:
            above = values >= self.least
        for place in np.flatnonzero(above.any(axis=0)):
            rows = np.flatnonzero(above[:, place])
            new = facts[rows].copy()
            new["value"] = values[rows, place]
            self._merge(place, new)

    def _merge(self, place: int, new: np.ndarray) -> None:
        found = np.concatenate([self.kept[place], new])
        found = found[np.lexsort((found["place"], found["sentence"]))]
        _, first = np.unique(found["key"], return_index=True)
        found = found[np.sort(first)]  # lexsort keeps the order of equal values
        self.kept[place] = found[np.argsort(-found["value"], kind="stable")][: self.top]
        if len(self.kept[place]) == self.top:
            self.least[place] = self.kept[place]["value"][-1]

    def sentences(self) -> set[int]:
        """Return the numbers of all sentences that are kept."""
        return {int(number) for kept in self.kept for number in kept["sentence"]}


class Sample:
    """Quantiles of a stream of rows: exact up to a number of rows, and of a random sample beyond it.

    The sample is uniform without replacement: the rows with the smallest of random keys.

    Args:
        width: the number of values per row.
        limit: the number of rows that are kept.
    """

    def __init__(self, width: int, limit: int):
        self.limit, self.seen = limit, 0
        self._keys, self._rows = np.empty(0), np.empty((0, width), np.float32)
        self._waiting: list[tuple[np.ndarray, np.ndarray]] = []
        self._bound = np.inf

    def add(self, keys: np.ndarray, rows: np.ndarray) -> None:
        """Add rows (m, width) with their random keys (m,)."""
        self.seen += len(rows)
        near = keys < self._bound
        self._waiting.append((keys[near], rows[near].astype(np.float32)))
        if len(self) > 1.25 * self.limit:
            self._settle()

    def __len__(self) -> int:
        return len(self._keys) + sum(len(keys) for keys, _ in self._waiting)

    def _settle(self) -> None:
        """Keep the rows with the smallest keys."""
        keys, rows = (
            np.concatenate(parts)
            for parts in zip((self._keys, self._rows), *self._waiting, strict=True)
        )
        order = np.argsort(keys)[: self.limit]
        self._keys, self._rows, self._waiting = keys[order], rows[order], []
        if len(order) == self.limit:
            self._bound = self._keys[-1]

    def quantiles(self, shares) -> np.ndarray:
        """Return quantiles of every value, (shares, width), linear between neighbours."""
        self._settle()
        return np.quantile(self._rows, shares, axis=0)
