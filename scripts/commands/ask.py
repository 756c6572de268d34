"""Show what a neuron, a direction or a word's group responds to, as a study found it or by a new ascent.

PYTHONPATH=src python scripts/commands/ask.py --neuron output/3/120 [--study results/default]
PYTHONPATH=src python scripts/commands/ask.py --neuron=-output/3/120   (its minimum)
PYTHONPATH=src python scripts/commands/ask.py --word music [--model minilm-l6]
PYTHONPATH=src python scripts/commands/ask.py --direction royal/3
"""

import argparse
import difflib
import logging
import re
import sys
import time
from pathlib import Path

import pandas as pd

from study.asked.finished import FinishedStudy
from study.asked.minima import minimum_of
from study.asked.new_ascents import ascend_direction, ascend_neuron, ascend_word
from study.asked.sentences import sentences_now
from study.config.reading import note
from study.machine.terminal import command_line
from study.record.checksums import DamagedError
from textualization.errors import SettingsError
from textualization.models.tokenizer import load_tokenizer
from textualization.models.vocabulary import WordLookup
from textualization.report.answers import (
    direction_answer,
    direction_name,
    minimum_answer,
    neuron_answer,
    neuron_name,
    printable,
    word_answer,
)
from textualization.report.text_answers import (
    sentence_lines,
    texts_answer,
    word_texts_answer,
)
from textualization.spelling import read_as

#: The project's folder.
ROOT = Path(__file__).resolve().parents[2]


def ask_neuron(study: FinishedStudy, name: str, fresh: bool) -> list[str]:
    """Return lines about a neuron; ascend now if the study did not, or if `fresh`.

    A minus in front asks a study of maxima for the neuron's minimum, which is always ascended now. In a
    study of minima, all names have it.
    """
    minus, name = name.strip().startswith("-"), name.strip().removeprefix("-")
    of_minima = study.document.get("seek") == "minimum"
    row = _row_of(study, name)
    if of_minima and not minus:
        raise SettingsError(
            f"NEURON: {study.folder} seeks minima, and its neurons have a minus (allowed: "
            f"{neuron_name(study.document, row)}; ask a study of maxima for the maximum)"
        )
    if minus and not of_minima:
        return _ask_minimum(study, row)
    optima = study.document.get("optima")
    known = bool(optima) and row in optima["neuron"]
    place = optima["neuron"].index(row) if known else None
    if known and not fresh:
        optimum, said = {key: values[place] for key, values in optima.items()}, "from the study"
    else:
        began = time.monotonic()
        optimum = ascend_neuron(study, row)
        said = _ascended(study, began, "singles")
    shown = neuron_name(study.document, row)
    if known:
        lines = texts_answer(study.document, "singles", place, optimum["activation"])
    else:
        read, how = sentences_now(study, shown.removeprefix("-"), ROOT)
        lines = sentence_lines(read, optimum["activation"], how)
    return [
        _title(shown, study, said),
        *neuron_answer(study.document, row, optimum),
        *lines,
    ]


def _ask_minimum(study: FinishedStudy, row: int) -> list[str]:
    """Return lines about a neuron's minimum."""
    began, neurons = time.monotonic(), study.document["neurons"]
    neuron = tuple(neurons[part][row] for part in ("site", "layer", "index"))
    lines = minimum_answer(minimum_of(study, neuron))
    said = _ascended(study, began, "singles")
    return [_title(f"-{neuron_name(study.document, row)}", study, said), *lines]


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


def ask_direction(study: FinishedStudy, name: str, fresh: bool) -> list[str]:
    """Return lines about a direction of the study's sets; ascend now if `fresh`.

    In a study of minima, all names have a minus.
    """
    directions = study.document.get("directions")
    if not directions:
        raise SettingsError(f"DIRECTION: {study.folder} has no directions (run)")
    names = [direction_name(study.document, own) for own in directions["name"]]
    if (name := name.strip()) not in names:
        near = difflib.get_close_matches(name, names, n=3)
        raise SettingsError(
            f"DIRECTION: no {name} in {study.folder} "
            f"(has: {', '.join(near or names[:3])}{'' if near else ', …'})"
        )
    place, said = names.index(name), "from the study"
    optimum = {key: values[place] for key, values in directions.items()}
    if fresh:
        began = time.monotonic()
        optimum = ascend_direction(study, optimum)
        said = _ascended(study, began, "singles")
    return [
        _title(f"direction {name}", study, said),
        *direction_answer(study.document, optimum),
        *texts_answer(study.document, "directions", place, optimum["activation"]),
    ]


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
        groups, rankings = ascend_word(study, word)
        said = _ascended(study, began, "groups")
    name = (
        printable(word) if word == requested else f"{printable(word)} ({read_as(requested, word)})"
    )
    return [
        _title(name, study, said),
        *word_answer(document, word, groups, rankings),
        *word_texts_answer(document, word),
    ]


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


def _title(name: str, study: FinishedStudy, said: str) -> str:
    lines = [f"{name}, in {study.model}: {said}", note(study.settings)]
    return "\n".join(filter(None, lines)) + "\n"


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
