"""Tables of objectives: the neurons and groups that a study and its experiments ascend on.

A table has a row per objective, with `neurons`, `identity` (see `ascend_objectives`) and columns that
describe the objective.
"""

from functools import cache

import numpy as np
import pandas as pd
import torch

from study.context_table import Context
from textualization.analysis.nulls import dealt
from textualization.analysis.selection import strongest, strongest_neurons
from textualization.draws import drawn_neurons, generator
from textualization.models.model import Model
from textualization.models.word_activations import all_taps, summarise_neurons

#: Columns of an experiment's objectives, and the defaults of those that a kind does not use.
FACTS = ["kind", "site", "layer", "index", "word", "target", "item", "label", "size", "scope_layer"]
_NONE = {"site": "", "layer": 0, "index": -1, "word": "", "target": -1, "item": "", "label": ""}
_NONE |= {"size": 1, "scope_layer": 0}


def drawn_words(words: pd.DataFrame, count: int | str, seed: int) -> pd.DataFrame:
    """Draw `count` of the words (a number or `all`) by the seed, and keep their order."""
    if count == "all":
        return words
    order = generator(seed, "sweep words").permutation(len(words))[:count]
    return words.iloc[np.sort(order)]


def requested_words(requested, targets, words, contexts, seed) -> pd.DataFrame:
    """Choose the words of an experiment's groups from the targets or from the words of contexts.

    Args:
        requested: the experiment's objectives, see `study.experiments.requested`.
        targets, words: the target words (`word`, `id`) and the vocabulary (`word`, `candidate`).
        contexts, seed: the contexts, and the seed of the choice.

    Returns:
        `word`, `id`.
    """
    if "groups" not in requested:
        return targets
    if requested["groups"]["of"] == "contexts":
        names = list(dict.fromkeys(c.word for c in contexts if c.kind == "sense"))
        known = pd.Series(words.index, index=words["word"])[words["candidate"].to_numpy()]
        found = [(name, int(known[name])) for name in names if name in known.index]
        targets = pd.DataFrame(found, columns=["word", "id"])
    return drawn_words(targets, requested["groups"]["words"], seed)


class ExperimentObjectives:
    """The neurons of a model from which an experiment's objectives are made.

    Args:
        model: the model, or a replicate of a null model, with its words and tokenizer.
        reference: ids of the words over which neurons are summarised for relative selection.
        contexts: see `study.context_table`.
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

    def objectives(self, requested: dict, targets: pd.DataFrame, choice: dict) -> pd.DataFrame:
        """List all objectives of a condition: FACTS and `neurons`.

        Args:
            requested: `singles`, `groups`, `contexts`, as the experiment declares them.
            targets: the words of the groups: `word`, `id`.
            choice: the condition's `site`, `scope`, `selection`, `activations`, `reading`.
        """
        rows = []
        if "singles" in requested:
            rows += self.singles(choice["site"], requested["singles"]["neurons"])
        if "groups" in requested:
            rows += self.groups(targets, requested["groups"]["sizes"], choice)
        if "contexts" in requested:
            rows += self.of_contexts(**requested["contexts"], choice=choice)
        rows = [_NONE | {"site": choice["site"]} | row for row in rows]
        return pd.DataFrame(rows, columns=[*FACTS, "neurons"])

    def singles(self, site: str, per_layer: int) -> list[dict]:
        """Draw `per_layer` neurons of every layer, as for the study's single neurons."""
        rows = []
        for layer in range(1, self.model.layers + 1):
            drawn = drawn_neurons(self.seed, site, layer, self.model.width(site), per_layer)
            rows += [
                {"kind": "single", "site": site, "layer": layer, "index": index}
                | {"neurons": [(site, layer, index)]}
                for index in self._part(drawn.tolist())
            ]
        return rows

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
                own = [place for place, c in enumerate(self.contexts) if c.word == target.word]
                everywhere = self._in_contexts(site, choice["reading"])
                activation, over = everywhere[own].mean(axis=0), _summary_of(everywhere)
            for layer, pool in pools.items():
                neurons = self._strongest(selection, activation, pool, over, max(sizes))
                rows += [
                    {"kind": "group", "word": target.word, "target": target.id, "size": size}
                    | {"scope_layer": layer, "neurons": neurons[:size]}
                    for size in sizes
                ]
        return rows

    def of_contexts(self, kinds, items, sizes, choice: dict) -> list[dict]:
        """List groups of contexts: the first k neurons by mean activation over sentences of one label.

        Selection `contrast` scores a neuron by its mean activation minus its mean activation for the
        item's other label, in standard deviations over all contexts.

        Args:
            kinds: kinds of contexts.
            items: number of items of every kind, drawn by the seed, or `all`.
            sizes: the group sizes.
            choice: see `objectives`.
        """
        site, selection = choice["site"], choice["selection"]
        pool, activations = (
            self._pools(site, "model")[0],
            self._in_contexts(site, choice["reading"]),
        )
        over = _summary_of(activations)
        labels: dict = {}
        for place, c in enumerate(self.contexts):
            if c.kind in kinds:
                labels.setdefault((c.kind, c.item), {}).setdefault(c.label, []).append(place)
        rows = []
        for kind, item in self._some_items(labels, items):
            for label, own in labels[kind, item].items():
                others = [p for name, of in labels[kind, item].items() if name != label for p in of]
                mean = activations[own].mean(axis=0)
                if selection == "contrast":
                    if not others:
                        continue
                    score = (mean - activations[others].mean(axis=0)) / np.maximum(
                        over["std"], 1e-9
                    )
                    neurons = _tuples(pool.iloc[strongest(score, max(sizes))])
                else:
                    neurons = self._strongest(selection, mean, pool, over, max(sizes))
                rows += [
                    {"kind": kind, "item": item, "label": label, "size": size}
                    | {"neurons": neurons[:size]}
                    for size in sizes
                ]
        return rows

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

    @cache  # noqa: B019 (the object lives as long as its job)
    def _pools(self, site: str, scope: str) -> dict[int, pd.DataFrame]:
        """List the neurons of a site, of all layers (key 0) or by layer, in the order of activations."""
        layers, width = range(1, self.model.layers + 1), self.model.width(site)
        rows = [(site, layer, index) for layer in layers for index in range(width)]
        whole = pd.DataFrame(rows, columns=["site", "layer", "index"])
        return {0: whole} if scope == "model" else {la: p for la, p in whole.groupby("layer")}

    @staticmethod
    def _strongest(selection, activation, pool, over, count) -> list[tuple]:
        """Return a pool's strongest neurons. over: statistics of all neurons over words, or None."""
        over = {} if over is None else {name: over[name][pool.index] for name in over}
        order = strongest_neurons(selection, activation[pool.index], pool.assign(**over), count)
        return _tuples(pool.iloc[order])

    @cache  # noqa: B019
    def _alone(self, site: str, word: int) -> np.ndarray:
        found = self.model.word_activations([word], all_taps(self.model, [site]))
        return np.concatenate(list(found.values()), axis=1)[0]

    @cache  # noqa: B019
    def _summary(self, site: str) -> dict[str, np.ndarray]:
        taps = all_taps(self.model, [site])
        table = summarise_neurons(self.model.transformer(), self.reference, taps)
        return {name: table[name].to_numpy() for name in ("max", "mean", "std")}

    @cache  # noqa: B019
    def _in_contexts(self, site: str, reading: str) -> np.ndarray:
        """Compute the activations of all neurons of a site by every context, (contexts, neurons).

        reading: `word`, mean over the word's tokens; `pooled`, mean over all tokens of the sentence.
        """
        taps = all_taps(self.model, [site])
        total = np.zeros((len(self.contexts), len(self._pools(site, "model")[0])), dtype=np.float64)
        wanted: dict = {}
        for row, context in enumerate(self.contexts):
            ids, word = tokens_of(context, self.model.tokenizer)
            read = word if reading == "word" else range(len(ids))
            for place in read:
                wanted.setdefault((len(ids), place + 1), []).append((row, ids, 1 / len(read)))
        for (length, place), of_place in wanted.items():
            transformer = self.model.transformer(length=length, place=place, read="word")
            rows, ids, shares = zip(*of_place, strict=True)
            with torch.inference_mode():
                inputs = transformer.word_embeddings[torch.tensor(ids)].flatten(1)
                found = transformer.activations(inputs, taps)
            found = torch.cat([found[tap] for tap in taps], dim=1).double().cpu().numpy()
            np.add.at(total, list(rows), np.array(shares)[:, None] * found)
        return total


def tokens_of(context: Context, tokenizer) -> tuple[list[int], list[int]]:
    """Return the ids of a context's tokens, and the positions (from 0) of its word's tokens."""
    found = tokenizer.encode(context.sentence, add_special_tokens=False)
    word = [
        place
        for place, (first, last) in enumerate(found.offsets)
        if first < context.end and last > context.start
    ]
    return found.ids, word


def _summary_of(activations: np.ndarray) -> dict[str, np.ndarray]:
    """Compute maximum, mean and standard deviation of every neuron over contexts."""
    return {
        "max": activations.max(axis=0),
        "mean": activations.mean(axis=0),
        "std": activations.std(axis=0),
    }


def _tuples(neurons: pd.DataFrame) -> list[tuple]:
    return list(zip(neurons["site"], neurons["layer"], neurons["index"], strict=True))
