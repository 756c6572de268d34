"""Tables of objectives: the neurons and groups that a study and its experiments ascend on.

A table has a row per objective, with `neurons`, `identity` (see `ascend_objectives`) and columns that
describe the objective.
"""

import logging
from collections.abc import Callable
from functools import cached_property

import numpy as np
import pandas as pd
import torch

from study.experiments.context_groups import context_activations, context_groups, summary_over
from study.experiments.context_table import Context
from study.word_groups import first_neurons
from textualization.analysis.null_draws import dealt
from textualization.ascent.exhaustive import by_words
from textualization.ascent.objectives import mean_of
from textualization.draws import drawn_neurons, generator
from textualization.models.bases import basis_rows, read_in
from textualization.models.model import Model
from textualization.models.vocabulary import WordLookup
from textualization.models.word_activations import all_taps, summarise_neurons
from textualization.spelling import read_as

#: Columns of an experiment's objectives, and the defaults of those that a kind does not use.
FACTS = ["kind", "site", "layer", "index", "word", "target", "item", "label", "size", "scope_layer"]
FACTS += ["restart"]
_NONE = {"site": "", "layer": 0, "index": -1, "word": "", "target": -1, "item": "", "label": ""}
_NONE |= {"size": 1, "scope_layer": 0, "restart": 0}


def drawn_words(words: pd.DataFrame, count: int | str, seed: int) -> pd.DataFrame:
    """Draw `count` of the words (a number or `all`) by the seed, and keep their order."""
    if count == "all":
        return words
    order = generator(seed, "sweep words").permutation(len(words))[:count]
    return words.iloc[np.sort(order)]


def requested_words(
    requested: dict, targets: pd.DataFrame, lookup: WordLookup, candidates, contexts, seed: int
) -> pd.DataFrame:
    """Choose the words of an experiment's groups from the targets or from the words of contexts.

    Words of contexts that are not one candidate are left out, which is logged.

    Args:
        requested: the experiment's objectives, see `study.config.experiments.requested`.
        targets: the target words: `word`, `id`.
        lookup, candidates: the vocabulary, and which of its entries are candidates, (V,).
        contexts, seed: the contexts, and the seed of the choice.

    Returns:
        `word`, `id`.
    """
    if "groups" not in requested:
        return targets
    if requested["groups"]["of"] == "contexts":
        names = list(dict.fromkeys(c.word for c in contexts if c.kind == "sense"))
        ids = {name: lookup.find(name) for name in names}
        found = list(dict.fromkeys(i for i in ids.values() if i >= 0 and candidates[i]))
        for name, i in ids.items():
            if i not in found:
                logging.info("words.contexts: %r is not one candidate word; left out", name)
            elif lookup.names[i] != name:
                logging.info("words.contexts: %s", read_as(name, lookup.names[i]))
        targets = pd.DataFrame({"word": [lookup.names[i] for i in found], "id": found})
    return drawn_words(targets, requested["groups"]["words"], seed)


def _restarted(rows: list[dict], requested: dict) -> list[dict]:
    """Return every objective with its restarts, from 0."""
    restarts = range(requested.get("restarts", 1))
    return [row | {"restart": restart} for row in rows for restart in restarts]


class ExperimentObjectives:
    """The neurons of a model from which an experiment's objectives are made.

    Args:
        model: the model, or a replicate of a null model, with its words and tokenizer.
        reference: ids of the words over which neurons are summarised for relative selection.
        contexts: see `study.experiments.context_table`.
        seed: seed of the choice of neurons and items.
        replicate, replicates: words, neurons and items are dealt to `replicates` parts; this model
            takes the part `replicate`, from 0.
    """

    def __init__(
        self,
        model: Model,
        reference: np.ndarray,
        contexts: list[Context],
        seed: int,
        replicate: int = 0,
        replicates: int = 1,
    ):
        self.model, self.reference, self.contexts, self.seed = model, reference, contexts, seed
        self._replicate, self._replicates = replicate, replicates
        self._kept: dict[tuple, object] = {}

    def in_basis(self, basis: str, site: str) -> "ExperimentObjectives":
        """Return the same choice among the rows of a basis, which the model reads as a site's neurons.

        Args:
            basis: `neurons`, or see `textualization.models.bases.basis_rows`. The activations of a basis
                are those by the words of relative selection.
            site: the site.
        """
        if basis == "neurons":
            return self
        model = read_in(self.model, basis_rows(basis, self.model, site, self.reference, self.seed))
        rest = (self.reference, self.contexts, self.seed, self._replicate, self._replicates)
        return ExperimentObjectives(model, *rest)

    def objectives(self, requested: dict, targets: pd.DataFrame, choice: dict) -> pd.DataFrame:
        """List all objectives of a condition: FACTS and `neurons`.

        Args:
            requested: `singles`, `groups`, `contexts`, as the experiment declares them.
            targets: the words of the groups: `word`, `id`.
            choice: the condition's `basis`, `site`, `scope`, `selection`, `activations`, `reading`.
        """
        rows = []
        if "singles" in requested:
            count, site = requested["singles"]["neurons"], choice["site"]
            rows += _restarted(self.singles(site, count), requested["singles"])
            if choice["basis"] == "principal":
                rows += _restarted(self.leading(site, count), requested["singles"])
        if "groups" in requested:
            found = self.groups(targets, requested["groups"]["sizes"], choice)
            rows += _restarted(found, requested["groups"])
        if "contexts" in requested:
            rows += self.of_contexts(**requested["contexts"], choice=choice)
        rows = [_NONE | {"site": choice["site"]} | row for row in rows]
        return pd.DataFrame(rows, columns=[*FACTS, "neurons"])

    def singles(self, site: str, per_layer: int) -> list[dict]:
        """Draw `per_layer` neurons of every layer, as for the study's single neurons."""
        rows = []
        for layer in range(1, self.model.layers + 1):
            units = self.model.units((site, layer))
            drawn = drawn_neurons(self.seed, site, layer, units, per_layer)
            rows += self._of_layer("single", site, layer, drawn.tolist())
        return rows

    def leading(self, site: str, per_layer: int) -> list[dict]:
        """List the first `per_layer` rows of every layer's basis."""
        rows = []
        for layer in range(1, self.model.layers + 1):
            first = range(min(per_layer, self.model.units((site, layer))))
            rows += self._of_layer("leading", site, layer, first)
        return rows

    def _of_layer(self, kind: str, site: str, layer: int, indices) -> list[dict]:
        return [
            {"kind": kind, "site": site, "layer": layer, "index": index}
            | {"neurons": [(site, layer, index)]}
            for index in self._part(indices)
        ]

    def groups(self, targets: pd.DataFrame, sizes, choice: dict) -> list[dict]:
        """List the groups of target words: the first k neurons by the choice's selection."""
        site, selection = choice["site"], choice["selection"]
        pools = self._pools(site, choice["scope"])
        rows = []
        for target in self._part(list(targets.itertuples())):
            if choice["activations"] == "alone":
                activation = self._alone(site, target.id)
                over = self._summary(site) if selection != "absolute" else None
            else:
                own = np.flatnonzero(self._ids_of_contexts == target.id)
                everywhere = self._in_contexts(site, choice["reading"])
                activation, over = everywhere[own].mean(axis=0), summary_over(everywhere)
            for layer, pool in pools.items():
                neurons = first_neurons(selection, activation, pool, over, max(sizes))
                rows += [
                    {"kind": "group", "word": target.word, "target": target.id, "size": size}
                    | {"scope_layer": layer, "neurons": neurons[:size]}
                    for size in sizes
                ]
        return rows

    def of_contexts(self, kinds, items, sizes, choice: dict) -> list[dict]:
        """List groups of contexts, `items` of every kind: see `context_groups`."""
        return context_groups(
            self._pools(choice["site"], "model")[0],
            self._in_contexts(choice["site"], choice["reading"]),
            self.contexts,
            kinds,
            lambda labels: self._some_items(labels, items),
            sizes,
            choice["selection"],
        )

    def by_reference(self, objectives: pd.DataFrame) -> np.ndarray:
        """Compute the activation of n objectives by the C words `reference`, (C, n)."""
        groups = objectives["neurons"].tolist()

        def computed():
            transformer = self.model.transformer()
            means = mean_of(groups, transformer)
            return by_words(transformer, means, torch.tensor(self.reference)).cpu().numpy()

        return self._once(("by reference", tuple(map(tuple, groups))), computed)

    def _part(self, items) -> list:
        return dealt(list(items), self._replicate, -(-len(items) // self._replicates))

    def _some_items(self, labels, count) -> list:
        by_kind: dict = {}
        for kind, item in labels:
            by_kind.setdefault(kind, []).append((kind, item))
        found = []
        for kind, items in by_kind.items():
            if count != "all":
                order = generator(self.seed, "sweep items", kind).permutation(len(items))[:count]
                items = [items[place] for place in np.sort(order)]
            found += self._part(items)
        return found

    @cached_property
    def _ids_of_contexts(self) -> np.ndarray:
        """The id of every context's word; -1 if it is not one entry."""
        return np.array([self.model.lookup.find(c.word) for c in self.contexts])

    def _pools(self, site: str, scope: str) -> dict[int, pd.DataFrame]:
        """List the neurons of a site, of all layers (key 0) or by layer, in the order of activations."""
        whole = self.model.neurons(site)
        return {0: whole} if scope == "model" else {la: p for la, p in whole.groupby("layer")}

    def _alone(self, site: str, word: int) -> np.ndarray:
        def computed():
            found = self.model.word_activations([word], all_taps(self.model, [site]))
            return np.concatenate(list(found.values()), axis=1)[0]

        return self._once(("alone", site, word), computed)

    def _summary(self, site: str) -> dict[str, np.ndarray]:
        def computed():
            taps = all_taps(self.model, [site])
            table = summarise_neurons(self.model.transformer(), self.reference, taps)
            return {name: table[name].to_numpy() for name in ("max", "mean", "std")}

        return self._once(("summary", site), computed)

    def _in_contexts(self, site: str, reading: str) -> np.ndarray:
        def computed():
            return context_activations(self.model, self.contexts, site, reading)

        return self._once(("in contexts", site, reading), computed)

    def _once(self, key: tuple, compute: Callable):
        """Return what was computed under a key; it lives as long as this object and its model."""
        if key not in self._kept:
            self._kept[key] = compute()
        return self._kept[key]
