"""Show what a neuron, a direction or a word's group responds to, from a finished study or by a new ascent.

PYTHONPATH=src python scripts/commands/ask.py --neuron output/3/120 [--study results/default]
PYTHONPATH=src python scripts/commands/ask.py --word music [--model minilm-l6]
PYTHONPATH=src python scripts/commands/ask.py --direction royal/3
"""

import argparse
import difflib
import logging
import os
import re
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from study.checksums import DamagedError
from study.described_directions import describe_directions
from study.experiments import protocol
from study.finished import FinishedStudy
from study.rankings import rank_words
from study.settings import group_sizes
from study.starts import started
from study.stored_activations import (
    explaining,
    group_word_activations,
    neuron_activations,
    neuron_explanations,
)
from study.terminal import command_line
from study.word_groups import word_groups
from textualization.analysis.describe import describe_groups, describe_singles, ended
from textualization.ascent.protocol import Execution, Protocol, ascend_objectives
from textualization.errors import SettingsError
from textualization.models.tokenizer import load_tokenizer
from textualization.models.vocabulary import WordLookup
from textualization.report.answers import (
    direction_answer,
    neuron_answer,
    neuron_name,
    printable,
    word_answer,
)
from textualization.report.atlas import (
    DIRECTION,
    columns,
    directions_of,
    groups_of,
    optima_of,
    ranking_of,
)
from textualization.spelling import read_as

#: New ascents use all cores and no snapshots.
EXECUTION = Execution(threads=os.cpu_count())


def ask_neuron(study: FinishedStudy, name: str, fresh: bool) -> list[str]:
    """Return lines about a neuron; ascend now if the study did not, or if `fresh`."""
    row = _row_of(study, name)
    optima = study.document.get("optima")
    if optima and row in optima["neuron"] and not fresh:
        place = optima["neuron"].index(row)
        optimum, said = {key: values[place] for key, values in optima.items()}, "from the study"
    else:
        began = time.monotonic()
        optimum = _ascend_neuron(study, row)
        said = _ascended(study, began, "singles")
    return [_title(neuron_name(study.document, row), study, said)] + neuron_answer(
        study.document, row, optimum
    )


def _row_of(study: FinishedStudy, name: str) -> int:
    """Return the neuron's row in the document; raise SettingsError, with what is allowed, if none."""
    neurons = study.document["neurons"]
    sites = list(dict.fromkeys(neurons["site"]))
    parts = re.fullmatch(r"\s*(\w+)[/ ]+(\d+)[/ ]+(\d+)\s*", name)
    if not parts:
        raise SettingsError(f"NEURON: {name!r} is not site/layer/index, as in {sites[0]}/3/120")
    site, layer, index = parts[1], int(parts[2]), int(parts[3])
    if site not in sites:
        raise SettingsError(
            f"NEURON: the study has no site {site!r} (has: {', '.join(sites)}; activations.sites "
            "adds others)"
        )
    for row, found in enumerate(
        zip(neurons["site"], neurons["layer"], neurons["index"], strict=True)
    ):
        if found == (site, layer, index):
            return row
    layers = max(la for s, la in zip(neurons["site"], neurons["layer"], strict=True) if s == site)
    width = max(i for s, i in zip(neurons["site"], neurons["index"], strict=True) if s == site)
    raise SettingsError(
        f"NEURON: no {site}/{layer}/{index} in {study.model} (layers 1 to {layers}, index 0 to {width})"
    )


def _ascend_neuron(study: FinishedStudy, row: int) -> dict:
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
    optima = _ascend(study, model, table, protocol(settings, "singles"))
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


def ask_direction(study: FinishedStudy, name: str, fresh: bool) -> list[str]:
    """Return lines about a direction of the study's sets; ascend now if `fresh`."""
    directions = study.document.get("directions")
    if not directions:
        raise SettingsError(f"DIRECTION: {study.folder} has no directions (run)")
    if (name := name.strip()) not in directions["name"]:
        near = difflib.get_close_matches(name, directions["name"], n=3)
        raise SettingsError(
            f"DIRECTION: no {name} in {study.folder} "
            f"(has: {', '.join(near or directions['name'][:3])}{'' if near else ', …'})"
        )
    place, said = directions["name"].index(name), "from the study"
    optimum = {key: values[place] for key, values in directions.items()}
    if fresh:
        began = time.monotonic()
        optimum = _ascend_direction(study, optimum)
        said = _ascended(study, began, "singles")
    return [_title(f"direction {name}", study, said)] + direction_answer(study.document, optimum)


def _ascend_direction(study: FinishedStudy, known: dict) -> dict:
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
    optima = _ascend(study, model, table, protocol(settings, "singles"))
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


def _ascend(study: FinishedStudy, model, table: pd.DataFrame, how: dict):
    """Ascend on a table of objectives from where the study's ascents started."""
    drawn = study.settings["ascent"].get("start", "random") == "random"
    table = started(table, model, None if drawn else study.path("start.parquet"))
    return ascend_objectives(model, table, Protocol(**how), EXECUTION)


def _facts(study: FinishedStudy, optima) -> pd.DataFrame:
    statistics = study.settings["statistics"]
    return optima.facts().join(ended(optima, statistics["convergence"], statistics["collapse"]))


def ask_word(study: FinishedStudy, word: str, fresh: bool) -> list[str]:
    """Return lines about a word's groups; ascend now if it is no target, or if `fresh`."""
    document = study.document
    if "groups" not in document:
        raise SettingsError(f"WORD: {study.folder} has no groups of words (run)")
    requested, word = word, _entry(study, word)
    if word in document["targets"]["word"] and not fresh:
        groups = pd.DataFrame(document["groups"])
        groups, said = groups[groups["word"] == word], "from the study"
        place = document["targets"]["word"].index(word)
        rankings = {name: of[place] for name, of in document["rankings"].items()}
    else:
        began = time.monotonic()
        groups, rankings = _ascend_word(study, word)
        said = _ascended(study, began, "groups")
    name = (
        printable(word) if word == requested else f"{printable(word)} ({read_as(requested, word)})"
    )
    return [_title(name, study, said)] + word_answer(document, word, groups, rankings)


def _entry(study: FinishedStudy, word: str) -> str:
    """Return the candidate that a word is read as, by name; see `WordLookup`.

    Raises:
        SettingsError: the word is no candidate. The message has similar words and its pieces.
    """
    if word in study.document["targets"]["word"]:
        return word
    words = study.words()
    tokenizer = load_tokenizer(study.weights().parent / "tokenizer.json")
    lookup = WordLookup(words, tokenizer)
    if (row := lookup.find(word)) >= 0:
        if words["candidate"][row]:
            return words["word"][row]
        raise SettingsError(
            f"WORD: {printable(word)!r} is {words['kind'][row]}, no word of its own"
        )
    pieces = words["word"][lookup.tokens(word)]
    near = difflib.get_close_matches(word, words["word"][words["candidate"]], n=3)
    near_to_it = f"; near to it: {', '.join(map(printable, near))}" if near else ""
    raise SettingsError(
        f"WORD: {printable(word)!r} is not one entry of {study.model}'s vocabulary "
        f"(in pieces: {' '.join(map(printable, pieces))}){near_to_it}"
    )


def _ascend_word(study: FinishedStudy, word: str):
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
    optima = _ascend(study, model, table, how)
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


def _title(name: str, study: FinishedStudy, said: str) -> str:
    return f"{name}, in {study.model}: {said}\n"


def _ascended(study: FinishedStudy, began: float, kind: str) -> str:
    steps = study.settings["ascent"][kind]["steps"]
    return (
        f"not taken from the study; ascended now, {steps} steps with the study's settings, "
        f"in {time.monotonic() - began:.1f} s"
    )


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--neuron", metavar="SITE/LAYER/INDEX")
    what.add_argument("--word")
    what.add_argument("--direction", metavar="SET/LAYER/NAME")
    parser.add_argument("--study", type=Path, default=Path("results/default"))
    parser.add_argument("--model", help="if the study has several")
    parser.add_argument("--fresh", action="store_true", help="ascend now, whatever the study has")
    requested = parser.parse_args(arguments)
    # Ascents log their progress.
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        study = FinishedStudy(requested.study, requested.model)
        answers = {"neuron": ask_neuron, "word": ask_word, "direction": ask_direction}
        asked = {kind: name for kind in answers if (name := getattr(requested, kind)) is not None}
        ((kind, name),) = asked.items()
        lines = answers[kind](study, name, requested.fresh)
    except (SettingsError, DamagedError) as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(command_line()))
