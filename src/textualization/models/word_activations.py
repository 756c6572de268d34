"""Word activations: every neuron's response to `[CLS] w [SEP]`, from forward passes."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import torch

from textualization.analysis.activation_summaries import neuron_summary
from textualization.models.transformer import FrozenTransformer, Tap
from textualization.progress import bar

#: Words per forward pass.
BATCH = 256
#: Bytes of word activations in memory at a time.
HELD = 2**28


def all_taps(model: FrozenTransformer, sites: Sequence[str]) -> list[Tap]:
    """List the taps of all layers, site after site."""
    return [Tap(site, layer) for site in sites for layer in range(1, model.layers + 1)]


def in_batches(
    model: FrozenTransformer, ids: np.ndarray, taps: Sequence[Tap], batch: int = BATCH
) -> Iterator[tuple[slice, dict[Tap, np.ndarray]]]:
    """Compute the activations of words, batch by batch.

    Args:
        model: the model.
        ids: vocabulary ids of the words, (n,).
        taps: where neurons are read.
        batch: words per forward pass.

    Yields:
        The rows of a batch, and per tap the activations of all its neurons, (rows, width), float32.
    """
    for first in range(0, len(ids), batch):
        rows = slice(first, first + batch)
        with torch.inference_mode():
            found = model.activations(model.word_embeddings[torch.tensor(ids[rows])], taps)
        yield rows, {tap: a.float().cpu().numpy() for tap, a in found.items()}


def word_activations(
    model: FrozenTransformer, ids: np.ndarray, taps: Sequence[Tap]
) -> dict[Tap, np.ndarray]:
    """Compute the activations of all neurons of some taps on words: (n, width) per tap, float32."""
    kept = {tap: np.empty((len(ids), model.units(tap)), dtype=np.float32) for tap in taps}
    with bar("word activations", "words", len(ids)) as shown:
        for rows, found in in_batches(model, ids, taps):
            for tap, activations in found.items():
                kept[tap][rows] = activations
            shown.update(len(ids[rows]))
    return kept


def summarise_neurons(
    model: FrozenTransformer, ids: np.ndarray, taps: Sequence[Tap], top: int = 1
) -> pd.DataFrame:
    """Summarise every neuron of some taps over words.

    Args:
        model: the model.
        ids: vocabulary ids of the words, (n,).
        taps: where neurons are read.
        top: number of the most activating words to list per neuron.

    Returns:
        One row per neuron: the columns of `neuron_summary`, `top_words` as ids, `site`, `layer`.
    """
    # A few taps at a time: activations of the whole vocabulary may not fit into memory.
    tables = []
    widest = max(model.units(tap) for tap in taps)
    together = max(1, HELD // (4 * len(ids) * widest))
    for first in range(0, len(taps), together):
        found = word_activations(model, ids, taps[first : first + together])
        tables.append(summaries_of(found, ids, top))
    return pd.concat(tables, ignore_index=True)


def summaries_of(
    activations: Mapping[Tap, np.ndarray], ids: np.ndarray, top: int = 1
) -> pd.DataFrame:
    """Summarise every neuron of some taps by its activations, as `summarise_neurons` does.

    Args:
        activations: by the words, (n, width) per tap.
        ids: vocabulary ids of the words, (n,).
        top: number of the most activating words to list per neuron.
    """
    tables = []
    for tap, a in activations.items():
        table = neuron_summary(a, np.ones(len(a), dtype=bool), top)
        table["top_words"] = [ids[places] for places in table["top_words"]]
        tables.append(table.assign(site=tap.site, layer=tap.layer))
    return pd.concat(tables, ignore_index=True)
