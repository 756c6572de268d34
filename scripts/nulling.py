"""What the scripts of null models and null groups share: which words and neurons fall to a draw, and
what words do to neurons where no matrix of all words is kept."""

import numpy as np
import pandas as pd
import torch

from climbing import climbed
from model_access import load_model
from optima import facts_of, groups_beside_words, in_order, with_curves
from textualization.nulls import dealt
from textualization.starts import generator
from textualization.transformer import Tap
from textualization.words import neuron_summary

#: Words per forward pass.
BATCH = 256
#: Bytes of word activations that are held at a time.
HELD = 2**28


def words_of(targets: pd.DataFrame, draw: int, count: int, seed: int) -> pd.DataFrame:
    """The target words of a draw, dealt out in a random order, so that no draw has one kind only."""
    order = generator(seed, "dealt words").permutation(len(targets))
    return targets.iloc[dealt(order.tolist(), draw, count)]


def all_taps(model, sites) -> list[Tap]:
    return [Tap(site, layer) for site in sites for layer in range(1, model.layers + 1)]


def word_activations(model, ids, taps) -> dict[Tap, np.ndarray]:
    """What words do to all neurons of some taps: (number of words, width) per tap."""
    kept = {tap: np.empty((len(ids), model.width(tap.site)), dtype=np.float32) for tap in taps}
    with torch.inference_mode():
        for first in range(0, len(ids), BATCH):
            inputs = model.word_embeddings[torch.tensor(ids[first : first + BATCH])]
            for tap, a in model.activations(inputs, taps).items():
                kept[tap][first : first + BATCH] = a.float().cpu().numpy()
    return kept


def summaries(model, reference, sites) -> pd.DataFrame:
    """Every neuron over the reference words: as `neuron_summary`, top words as ids.

    A few layers at a time, since the whole vocabulary's activations may be more than memory holds.
    """
    tables, taps = [], all_taps(model, sites)
    widest = max(model.width(tap.site) for tap in taps)
    together = max(1, HELD // (4 * len(reference) * widest))
    for first in range(0, len(taps), together):
        found = word_activations(model, reference, taps[first : first + together])
        for tap, a in found.items():
            table = neuron_summary(a, np.ones(len(a), dtype=bool), top=1)
            table["top_words"] = [reference[places] for places in table["top_words"]]
            tables.append(table.assign(site=tap.site, layer=tap.layer))
    return pd.concat(tables, ignore_index=True)


def climb_groups(groups, facts, null, draw, weights, words, protocol, job, table):
    """Climb a draw's groups; return their table, as `groups.parquet`, and the snapshots to remove.

    groups: lists of (site, layer, index). facts: one row per group, `word`, `target` (its id),
    `selection`, `size`.
    """
    batch, snapshots = climbed(
        groups=groups,
        identities=[
            ("group", null, draw, row.word, row.selection, row.size) for row in facts.itertuples()
        ],
        labels={name: facts[name].tolist() for name in ("target", "size")},
        protocol=protocol,
        weights=weights,
        job=job,
        place=f"{table}.{draw}",
    )
    found = with_curves(facts_of(batch, ("target", "size")), batch)
    found["selection"] = facts["selection"].to_numpy()
    model = load_model(weights, protocol["read"], job["device"])

    def excite(rows, target, nearest):
        ids, place = np.unique(target, return_inverse=True)
        a = word_activations(model, ids, sorted({Tap(s, la) for g in groups for s, la, _ in g}))
        means = [
            np.mean([a[Tap(site, layer)][word, index] for site, layer, index in group])
            for word, group in zip(place, groups, strict=True)
        ]
        return pd.DataFrame({"word_activation": means}, index=rows.index)

    e = model.word_embeddings.float().cpu().numpy()
    starts, embeddings = batch["start"], batch["embedding"]
    found = groups_beside_words(found, starts, embeddings, e, words, 1, excite)
    found = found.assign(null=null, draw=draw, scope="model", scope_layer=0, restart=0)
    first = "null draw word selection scope scope_layer size restart activation word_activation "
    first += "nearest_word nearest_cosine target_cosine target_rank margin recovered"
    return in_order(found, first), list(snapshots)
