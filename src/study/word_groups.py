"""Groups of target words: the first neurons of a word's ranking, as a table of objectives."""

from collections import Counter

import pandas as pd

from textualization.analysis.null_draws import dealt
from textualization.analysis.selection import neuron_tuples, strongest_neurons
from textualization.draws import generator, runs


def word_groups(
    ranking: pd.DataFrame,
    targets: pd.DataFrame,
    sizes: list[int],
    *,
    selection: str,
    scope: str,
    restarts: int,
    repeated: int | str,
    seed: int,
) -> pd.DataFrame:
    """List a study's groups of one selection and scope, by size, word and restart.

    Args:
        ranking: every word's ranked neurons: `word`, `scope_layer`, `rank`, `site`, `layer`, `index`.
        targets: `word`, `id`.
        sizes: the group sizes, ascending.
        selection, scope: the ranking's selection and scope.
        restarts, repeated, seed: see `runs`.

    Returns:
        A table of objectives: `size`, `target`, `selection`, `scope`, `scope_layer`, `restart`.

    Raises:
        ValueError: a word has fewer ranked neurons than the largest size.
    """
    ranked = ranking[ranking["rank"] <= max(sizes)]
    ranked = {
        key: neuron_tuples(neurons)
        for key, neurons in ranked.groupby(["word", "scope_layer"], observed=True, sort=False)
    }
    short = sorted({word for (word, _), neurons in ranked.items() if len(neurons) < max(sizes)})
    if short:
        raise ValueError(
            f"groups of {max(sizes)} neurons: {selection} ranks fewer neurons for {', '.join(short)}"
        )
    names = dict.fromkeys(word for word, _ in ranked)
    counts = Counter(word for word, _ in runs(seed, names, restarts, repeated))
    ids = targets.set_index("word")["id"]
    rows = [
        {
            "size": size,
            "target": int(ids[word]),
            "selection": selection,
            "scope": scope,
            "scope_layer": int(layer),
            "restart": restart,
            "neurons": ranked[word, layer][:size],
            "identity": ("group", word, selection, scope, layer, size, restart),
        }
        for size in sizes
        for word, layer in ranked
        for restart in range(counts[word])
    ]
    return pd.DataFrame(rows)


def dealt_words(targets: pd.DataFrame, replicate: int, count: int, seed: int) -> pd.DataFrame:
    """Return the `count` target words that are dealt to a replicate of a null, in random order."""
    order = generator(seed, "dealt words").permutation(len(targets))
    return targets.iloc[dealt(order.tolist(), replicate, count)]


def first_neurons(selection, activation, pool, over, count: int) -> list[tuple]:
    """Choose a pool's neurons: (site, layer, index), the strongest first.

    Args:
        selection: see `textualization.analysis.selection`.
        activation: of all neurons of the site; the pool's index says which are its own.
        pool: the neurons, a row each.
        over: `max`, `mean` and `std` of all neurons over words; None for absolute selection.
        count: number of neurons.
    """
    over = {} if over is None else {name: over[name][pool.index] for name in over}
    order = strongest_neurons(selection, activation[pool.index], pool.assign(**over), count)
    return neuron_tuples(pool.iloc[order])
