"""Optima of null groups: groups of null models and random groups, by replicate."""

import numpy as np
import pandas as pd

from study.starts import started
from textualization.analysis.describe import describe_groups, in_order
from textualization.ascent.protocol import Execution, Protocol, ascend_objectives
from textualization.explanations import explanation_over
from textualization.models.model import Model
from textualization.models.transformer import Tap

FIRST = "null draw word selection scope scope_layer size restart activation word_activation "
FIRST += "nearest_word nearest_cosine target_cosine target_rank margin recovered"


def describe_null_groups(
    model: Model,
    groups: pd.DataFrame,
    reference: np.ndarray,
    activations: np.ndarray,
    null: str,
    replicate: int,
    protocol: Protocol,
    execution: Execution,
    start=None,
) -> pd.DataFrame:
    """Ascend on the groups of one replicate and describe their optima.

    Args:
        model: the null model, or the model itself, with its words.
        groups: a row each: `word`, `target` (its id), `selection`, `size`, `neurons`.
        reference: ids of the words over which explanation is measured.
        activations: of the groups by these words, (words, n).
        null: name of the null.
        replicate: number of the replicate, from 0.
        protocol, execution: see `ascend_objectives`.
        start: see `started`.

    Returns:
        The columns of `groups.parquet`, `null`, `draw` (the replicate), `steps` and `curve`.
    """
    identity = [
        ("group", null, replicate, row.word, row.selection, row.size) for row in groups.itertuples()
    ]
    table = groups.drop(columns="word").assign(identity=identity)
    optima = ascend_objectives(model, started(table, model, start), protocol, execution)
    neurons = groups["neurons"].tolist()
    explained = explanation_over(model, reference, activations, neurons, optima)

    def activations_of(facts, target, nearest):
        ids, place = np.unique(target, return_inverse=True)
        taps = sorted({Tap(site, layer) for g in groups["neurons"] for site, layer, _ in g})
        a = model.word_activations(ids, taps)
        means = [
            np.mean([a[Tap(site, layer)][word, index] for site, layer, index in group])
            for word, group in zip(place, groups["neurons"], strict=True)
        ]
        return pd.DataFrame({"word_activation": means}, index=facts.index)

    described = describe_groups(
        optima.with_curves(optima.facts()).join(explained),
        optima.start,
        optima.embedding,
        model.embeddings,
        model.words,
        activations_of,
    )
    described = described.assign(null=null, draw=replicate, scope="model", scope_layer=0, restart=0)
    return in_order(described, FIRST)
