"""Groups of contexts: how sentences activate neurons, and the neurons that respond to them most."""

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
import torch

from study.experiments.context_table import Context
from study.word_groups import first_neurons
from textualization.analysis.selection import neuron_tuples, strongest
from textualization.models.model import Model
from textualization.models.word_activations import all_taps


def tokens_of(context: Context, tokenizer) -> tuple[list[int], list[int]]:
    """Return the ids of a context's tokens, and the positions of the word's tokens, from 0."""
    found = tokenizer.encode(context.sentence, add_special_tokens=False)
    word = [
        place
        for place, (first, last) in enumerate(found.offsets)
        if first < context.end and last > context.start
    ]
    return found.ids, word


def context_activations(
    model: Model, contexts: list[Context], site: str, reading: str
) -> np.ndarray:
    """Compute the activations of all neurons of a site by every context, (contexts, neurons).

    reading: `word`, mean over the word's tokens; `pooled`, mean over all tokens of the sentence.
    """
    taps = all_taps(model, [site])
    total = np.zeros((len(contexts), model.layers * model.width(site)), dtype=np.float64)
    wanted: dict = {}
    for row, context in enumerate(contexts):
        ids, word = tokens_of(context, model.tokenizer)
        read = word if reading == "word" else range(len(ids))
        for place in read:
            wanted.setdefault((len(ids), place + 1), []).append((row, ids, 1 / len(read)))
    for (length, place), of_place in wanted.items():
        transformer = model.transformer(tokens=[None] * length, place=place, read="word")
        rows, ids, shares = zip(*of_place, strict=True)
        with torch.inference_mode():
            inputs = transformer.word_embeddings[torch.tensor(ids)].flatten(1)
            found = transformer.activations(inputs, taps)
        found = torch.cat([found[tap] for tap in taps], dim=1).double().cpu().numpy()
        np.add.at(total, list(rows), np.array(shares)[:, None] * found)
    return total


def summary_over(activations: np.ndarray) -> dict[str, np.ndarray]:
    """Return the maximum, mean and deviation of every neuron over contexts."""
    return {
        "max": activations.max(axis=0),
        "mean": activations.mean(axis=0),
        "std": activations.std(axis=0),
    }


def context_groups(
    pool: pd.DataFrame,
    activations: np.ndarray,
    contexts: list[Context],
    kinds: Iterable[str],
    chosen: Callable[[dict], list],
    sizes: list[int],
    selection: str,
) -> list[dict]:
    """List groups of contexts: the first k neurons by mean activation over sentences of one label.

    Selection `contrast` scores a neuron by its mean activation minus its mean activation for the
    item's other label, in standard deviations over all contexts.

    Args:
        pool: the neurons, a row each.
        activations: of these neurons by every context, (contexts, neurons).
        contexts: the contexts.
        kinds: kinds of contexts.
        chosen: chooses items from {(kind, item): {label: rows}}.
        sizes: the group sizes.
        selection: see `textualization.analysis.selection`, or `contrast`.

    Returns:
        `kind`, `item`, `label`, `size` and `neurons` of every group.
    """
    over = summary_over(activations)
    labels: dict = {}
    for place, c in enumerate(contexts):
        if c.kind in kinds:
            labels.setdefault((c.kind, c.item), {}).setdefault(c.label, []).append(place)
    rows = []
    for kind, item in chosen(labels):
        for label, own in labels[kind, item].items():
            others = [p for name, of in labels[kind, item].items() if name != label for p in of]
            mean = activations[own].mean(axis=0)
            if selection == "contrast":
                if not others:
                    continue
                difference = mean - activations[others].mean(axis=0)
                score = difference / np.maximum(over["std"], 1e-9)
                neurons = neuron_tuples(pool.iloc[strongest(score, max(sizes))])
            else:
                neurons = first_neurons(selection, mean, pool, over, max(sizes))
            rows += [
                {"kind": kind, "item": item, "label": label, "size": size}
                | {"neurons": neurons[:size]}
                for size in sizes
            ]
    return rows
