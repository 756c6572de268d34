"""Whom a sweep asks, of any weights: single neurons, groups of a word, groups of a context."""

from functools import cache

import numpy as np
import pandas as pd
import torch
from safetensors import safe_open

from nulling import all_taps, summaries, word_activations
from textualization.contexts import Context
from textualization.nulls import dealt
from textualization.selection import scores, strongest
from textualization.starts import drawn_neurons, generator
from textualization.transformer import FrozenTransformer
from tokenizing import load_tokenizer

FACTS = ["kind", "site", "layer", "index", "word", "target", "item", "label", "size", "scope_layer"]
_NONE = {"site": "", "layer": 0, "index": -1, "word": "", "target": -1, "item": "", "label": ""}
_NONE |= {"size": 1, "scope_layer": 0}


def drawn_words(words: pd.DataFrame, count, seed: int) -> pd.DataFrame:
    """Some of the words, drawn by the seed; in their order. count: a number, or `all`."""
    if count == "all":
        return words
    order = generator(seed, "sweep words").permutation(len(words))[:count]
    return words.iloc[np.sort(order)]


def words_asked(asked, targets, words, contexts, seed) -> pd.DataFrame:
    """The words whose groups are asked: some of the targets, or of those that contexts hold."""
    if "groups" not in asked:
        return targets
    if asked["groups"]["of"] == "contexts":
        names = list(dict.fromkeys(c.word for c in contexts if c.kind == "sense"))
        known = pd.Series(words.index, index=words["word"])[words["candidate"].to_numpy()]
        found = [(name, int(known[name])) for name in names if name in known.index]
        targets = pd.DataFrame(found, columns=["word", "id"])
    return drawn_words(targets, asked["groups"]["words"], seed)


class Asked:
    """The neurons of one model, or one null model, and what words and contexts do to them.

    path: its weights. words: `candidates.parquet`. reference: ids of the words over which neurons are
    summed up for relative selection. contexts: see `textualization.contexts`. draws: into how many parts
    words and neurons are dealt, of which this model takes the one numbered `draw`.
    """

    def __init__(self, path, read, words, reference, contexts, tokenizer, seed, draw=0, draws=1):
        with safe_open(path, framework="pt") as file:
            self.tensors = {name: file.get_tensor(name) for name in file.offset_keys()}
            self.facts = file.metadata()
        self.model = FrozenTransformer(self.tensors, self.facts, read=read)
        self.words, self.reference, self.seed = words, reference, seed
        self.contexts: list[Context] = contexts
        self.tokenizer = load_tokenizer(tokenizer)
        self.draw, self.draws = draw, draws

    def _part(self, items) -> list:
        return dealt(list(items), self.draw, -(-len(items) // self.draws))

    def singles(self, site: str, per_layer: int):
        """Neurons of every layer, drawn as the study's own are."""
        groups, rows = [], []
        for layer in range(1, self.model.layers + 1):
            width = self.model.width(site)
            drawn = drawn_neurons(self.seed, site, layer, width, per_layer).tolist()
            for index in self._part(drawn):
                groups.append([(site, layer, index)])
                rows.append({"kind": "single", "site": site, "layer": layer, "index": index})
        return groups, rows

    def groups(self, targets: pd.DataFrame, sizes, choice: dict):
        """Groups of target words (`word`, `id`): the first k neurons by the choice's selection."""
        site, scope, selection = (choice[key] for key in ("site", "scope", "selection"))
        places = self._places(site)
        pools = [places] if scope == "model" else [p for _, p in places.groupby("layer")]
        chosen = self._part(list(targets.itertuples()))
        groups, rows = [], []
        for target in chosen:
            if choice["activations"] == "alone":
                activation = self._alone(site, target.id)
                over = self._summary(site) if selection != "absolute" else (np.nan,) * 3
            else:
                own = [place for place, c in enumerate(self.contexts) if c.word == target.word]
                everywhere = self._in_contexts(site, choice["reading"])
                activation, over = everywhere[own].mean(axis=0), _summed_up(everywhere)
            score = scores(selection, activation, *over)
            for pool in pools:
                order = pool.index[strongest(score[pool.index], max(sizes))]
                for size in sizes:
                    groups.append(_tuples(places, order[:size]))
                    rows.append(
                        {"kind": "group", "word": target.word, "target": target.id, "size": size}
                        | {"scope_layer": 0 if scope == "model" else int(pool["layer"].iloc[0])}
                    )
        return groups, rows

    def of_contexts(self, kinds, items, sizes, choice: dict):
        """Groups of contexts: of all sentences of an item under one label, their mean activation.

        items: how many of every kind, drawn by the seed. Selection `contrast`: by how much more a neuron
        is excited than under the item's other label, in deviations over all contexts.
        """
        site, selection = choice["site"], choice["selection"]
        places, activations = self._places(site), self._in_contexts(site, choice["reading"])
        over = _summed_up(activations)
        labels: dict = {}
        for place, c in enumerate(self.contexts):
            if c.kind in kinds:
                labels.setdefault((c.kind, c.item), {}).setdefault(c.label, []).append(place)
        groups, rows = [], []
        for kind, item in self._some_items(labels, items):
            for label, own in labels[kind, item].items():
                others = [p for name, of in labels[kind, item].items() if name != label for p in of]
                mean = activations[own].mean(axis=0)
                if selection == "contrast":
                    if not others:
                        continue
                    score = (mean - activations[others].mean(axis=0)) / np.maximum(over[2], 1e-9)
                else:
                    score = scores(selection, mean, *over)
                order = strongest(score, max(sizes))
                for size in sizes:
                    groups.append(_tuples(places, order[:size]))
                    rows.append({"kind": kind, "item": item, "label": label, "size": size})
        return groups, rows

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

    @cache  # noqa: B019 (it lives as long as its job)
    def _places(self, site: str) -> pd.DataFrame:
        layers, width = range(1, self.model.layers + 1), self.model.width(site)
        rows = [(site, layer, index) for layer in layers for index in range(width)]
        return pd.DataFrame(rows, columns=["site", "layer", "index"])

    @cache  # noqa: B019
    def _alone(self, site: str, word: int) -> np.ndarray:
        found = word_activations(self.model, np.array([word]), all_taps(self.model, [site]))
        return np.concatenate(list(found.values()), axis=1)[0]

    @cache  # noqa: B019
    def _summary(self, site: str):
        table = summaries(self.model, self.reference, [site])
        return tuple(table[name].to_numpy() for name in ("max", "mean", "std"))

    @cache  # noqa: B019
    def _in_contexts(self, site: str, reading: str) -> np.ndarray:
        """What every context does to all neurons of a site, (contexts, neurons).

        reading: `word`, the mean over its tokens; `pooled`, over all tokens of the sentence.
        """
        taps = all_taps(self.model, [site])
        total = np.zeros((len(self.contexts), len(self._places(site))), dtype=np.float64)
        wanted: dict = {}
        for row, context in enumerate(self.contexts):
            ids, word = tokens_of(context, self.tokenizer)
            read = word if reading == "word" else range(len(ids))
            for place in read:
                wanted.setdefault((len(ids), place + 1), []).append((row, ids, 1 / len(read)))
        for (length, place), asked in wanted.items():
            model = FrozenTransformer(self.tensors, self.facts, length=length, place=place)
            rows, ids, shares = zip(*asked, strict=True)
            with torch.inference_mode():
                inputs = model.word_embeddings[torch.tensor(ids)].flatten(1)
                found = model.activations(inputs, taps)
            found = torch.cat([found[tap] for tap in taps], dim=1).double().numpy()
            np.add.at(total, list(rows), np.array(shares)[:, None] * found)
        return total


def tokens_of(context: Context, tokenizer) -> tuple[list[int], list[int]]:
    """The ids of a context's tokens, and which of them are the word's, from 0."""
    found = tokenizer.encode(context.sentence, add_special_tokens=False)
    word = [
        place
        for place, (first, last) in enumerate(found.offsets)
        if first < context.end and last > context.start
    ]
    return found.ids, word


def _summed_up(activations: np.ndarray):
    """Maximum, mean and deviation of every neuron over contexts."""
    return activations.max(axis=0), activations.mean(axis=0), activations.std(axis=0)


def _tuples(places: pd.DataFrame, order) -> list[tuple]:
    chosen = places.loc[order]
    return list(zip(chosen["site"], chosen["layer"], chosen["index"], strict=True))


def facts_table(rows: list[dict]) -> pd.DataFrame:
    """Rows of any kind of objective, with all columns of FACTS."""
    return pd.DataFrame([_NONE | row for row in rows], columns=FACTS)
