"""New ascents on what a person asks of a finished study, with the study's settings."""

import os

import numpy as np
import pandas as pd

from study.asked.finished import FinishedStudy
from study.config.experiments import protocol
from study.config.settings import group_sizes
from study.described_directions import describe_directions
from study.rankings import rank_words
from study.starts import started
from study.stored_activations import (
    explaining,
    group_word_activations,
    neuron_activations,
    neuron_explanations,
)
from study.word_groups import word_groups
from textualization.analysis.describe import describe_groups, describe_singles, ended
from textualization.ascent.protocol import Execution, Protocol, ascend_objectives
from textualization.errors import SettingsError
from textualization.models.model import Model
from textualization.optima_arrays import OptimaArrays
from textualization.report.atlas import (
    DIRECTION,
    columns,
    directions_of,
    groups_of,
    optima_of,
    ranking_of,
)

#: New ascents use all cores and no snapshots.
EXECUTION = Execution(threads=os.cpu_count())


def ascend_neuron(study: FinishedStudy, row: int) -> dict:
    """Return the columns of a new optimum, found and described as in the study."""
    settings, neurons = study.settings, study.document["neurons"]
    site, layer, index = (neurons[part][row] for part in ("site", "layer", "index"))
    starts = range(settings["ascent"]["singles"]["restarts"])
    table = pd.DataFrame(
        [
            {"site": site, "layer": layer, "index": index, "restart": restart}
            | {
                "neurons": [(site, layer, index)],
                "identity": ("single", site, layer, index, restart),
            }
            for restart in starts
        ]
    )
    model = study.load()
    optima = ascend_as_in(study, model, table, protocol(settings, "singles"))
    facts, matrices = _facts(study, optima), study.matrices([site])
    explained = explaining(optima.start, optima.embedding, model.embeddings, model.words)
    described = describe_singles(
        facts.join(neuron_explanations(facts, matrices, model.words, explained)),
        optima.start,
        optima.embedding,
        model.embeddings,
        model.words,
        study.summaries([site]),
        neuron_activations(matrices),
    )
    found, _ = optima_of(
        described,
        optima.curves(),
        optima.embedding,
        pd.DataFrame({part: neurons[part] for part in ("site", "layer", "index")}),
        model.words["word"].to_numpy(),
        model.embeddings,
        model.candidates,
        settings["statistics"]["nearest_words"],
    )
    return {key: values[0] for key, values in columns(found).items()}


def ascend_word(study: FinishedStudy, word: str):
    """Return the rows of a word's groups and their rankings, made as in the study."""
    settings, neurons = study.settings, pd.DataFrame(study.document["neurons"])
    sites, selections = settings["groups"]["sites"], settings["groups"]["selections"]
    requested = settings["groups"]["sizes"].get("model") or []
    sizes = group_sizes(requested, neurons["site"].isin(sites).sum())
    if not sizes:
        raise SettingsError("WORD: the study has no groups over all layers (groups.sizes.model)")
    model, matrices, how = study.load(), study.matrices(sites), protocol(settings, "groups")
    targets = pd.DataFrame({"word": [word], "id": [model.id_of(word)]})
    relative = study.summaries(sites) if set(selections) != {"absolute"} else None
    rankings = {
        selection: rank_words(
            matrices, None if selection == "absolute" else relative, targets, selection, "model"
        )
        for selection in selections
    }
    tables = [
        word_groups(
            ranking, targets, sizes, selection=selection, scope="model", restarts=1,
            repeated="all", seed=how["seed"],
        )
        for selection, ranking in rankings.items()
    ]  # fmt: skip
    table = pd.concat(tables, ignore_index=True)
    optima = ascend_as_in(study, model, table, how)
    explained = explaining(optima.start, optima.embedding, model.embeddings, model.words)

    def activations_of(facts, target, nearest):
        ranked = [(selection, "model", ranking) for selection, ranking in rankings.items()]
        return group_word_activations(
            facts, target, nearest, ranked, matrices, model.words, explained
        )

    described = describe_groups(
        _facts(study, optima),
        optima.start,
        optima.embedding,
        model.embeddings,
        model.words,
        activations_of,
        settings["statistics"]["nearest_words"],
    )
    own = {
        selection: ranking_of(ranking, [word], neurons, sizes[-1])[0]
        for selection, ranking in rankings.items()
    }
    return groups_of(described), own


def ascend_direction(study: FinishedStudy, known: dict) -> dict:
    """Return the columns of a new optimum of a direction, found and described as in the study."""
    settings, (name, site, layer) = study.settings, (known[k] for k in ("name", "site", "layer"))
    made = pd.read_parquet(study.path(f"directions/sets/{known['set']}.parquet"))
    vector = made.set_index("name")["vector"][name].copy()
    own = {key: known[key] for key in DIRECTION} | {"neurons": {(site, layer): vector}}
    restarts = range(settings["ascent"]["singles"]["restarts"])
    table = pd.DataFrame(
        [own | {"restart": r, "identity": ("direction", name, r)} for r in restarts]
    )
    model, matrix = study.load(), study.matrices([site])[site]
    optima = ascend_as_in(study, model, table, protocol(settings, "singles"))
    e, words = model.embeddings, model.words
    described = describe_directions(
        _facts(study, optima), optima.start, optima.embedding, e, words, [vector] * len(table),
        np.flatnonzero(words["candidate"]), lambda site, layer, ids: matrix[layer - 1][ids],
    )  # fmt: skip
    found, _ = directions_of(
        described, optima.curves(), optima.embedding, words["word"].to_numpy(), e, model.candidates,
        settings["statistics"]["nearest_words"],
    )  # fmt: skip
    return {key: values[0] for key, values in columns(found).items()}


def ascend_as_in(
    study: FinishedStudy, model: Model, table: pd.DataFrame, how: dict
) -> OptimaArrays:
    """Ascend on a table of objectives from where the study's ascents started.

    Args:
        study: the study.
        model: its model.
        table: the objectives, see `ascend_objectives`.
        how: the fields of a protocol, see `study.config.experiments.protocol`.
    """
    drawn = study.settings["ascent"].get("start", "random") == "random"
    table = started(table, model, None if drawn else study.path("start.parquet"))
    return ascend_objectives(model, table, Protocol(**how), EXECUTION)


def _facts(study: FinishedStudy, optima) -> pd.DataFrame:
    statistics = study.settings["statistics"]
    return optima.facts().join(ended(optima, statistics["convergence"], statistics["collapse"]))
