"""Agreement between ways to choose a word's neurons, and neurons that words share.

The table of overlaps gives the Jaccard index of the neurons that two ways choose for the same word
(mean over words). The table of sharing gives the share of its neurons that a word has in common
with related words. Both compare the model with null models.
"""

from itertools import combinations

import numpy as np
import pandas as pd

from study.experiments.inputs import ExperimentInputs
from study.experiments.objectives import ExperimentObjectives
from study.job import run
from textualization.analysis.estimates import Intervals, centre
from textualization.analysis.similarity import unit
from textualization.draws import generator
from textualization.report.tables import TableFiles, write_for_people

#: Words compared with every target: its nearest words in E, and random words.
NEIGHBOURS, DRAWN = 3, 3


def main(
    contexts, weights, candidates, reference, targets, tokenizer, conditions, requested, known,
    sources, intervals: Intervals, files: TableFiles, sharing: TableFiles, context=(),
) -> None:  # fmt: skip
    inputs = ExperimentInputs.read(
        candidates, reference, targets, tokenizer, [contexts], conditions, requested, intervals.seed
    )
    words, targets = inputs.words, pd.read_parquet(targets)
    sizes, overlaps, shared = requested["groups"]["sizes"], [], []

    def compare(path, null, replicate):
        # In a function, so that its model is freed before the next is opened.
        of = inputs.open(path, context=context)
        groups = {name: _by_word(of, inputs.chosen, sizes, c) for name, c in conditions.items()}
        for one, other in combinations(groups, 2):
            # In the order of the first: the order of a set changes from run to run.
            for key in (key for key in groups[one] if key in groups[other]):
                row = {"null": null, "draw": replicate, "condition": one, "other": other}
                row |= {"word": key[0], "size": key[2]}
                overlaps.append(row | {"overlap": _jaccard(groups[one][key], groups[other][key])})
        pairs = _pairs(targets, known, of, words, intervals.seed)
        alone = {name: c for name, c in conditions.items() if c["activations"] == "alone"}
        for name, condition in alone.items():
            shared.extend(_shared(of, pairs, words, sizes, name, condition, null, replicate))

    for source, path in zip(sources, weights, strict=True):
        compare(path, *source)
    write_for_people(_means(overlaps, ["condition", "other"], "overlap", intervals), files)
    table = _means(shared, ["condition", "relation"], "share", intervals)
    write_for_people(table, sharing)


def _by_word(of: ExperimentObjectives, targets, sizes, condition) -> dict:
    """Return the neurons of every group, by word, layer and size."""
    return {
        (row["word"], row["scope_layer"], row["size"]): set(row["neurons"])
        for row in of.in_basis(condition["basis"], condition["site"]).groups(
            targets, sizes, condition
        )
    }


def _jaccard(one: set, other: set) -> float:
    return len(one & other) / len(one | other)


def _pairs(targets, known, of: ExperimentObjectives, words, seed) -> list[tuple[str, int, int]]:
    """List pairs of words with their relation: (relation, id, id)."""
    e, candidates = unit(of.model.embeddings), words["candidate"].to_numpy()
    ids, pairs = np.flatnonzero(candidates), []
    for target in targets.itertuples():
        cosine = np.where(candidates, e @ e[target.id], -2)
        cosine[target.id] = -2
        near = np.argsort(-cosine, kind="stable")[:NEIGHBOURS]
        drawn = generator(seed, "random words", target.word).choice(ids, DRAWN, replace=False)
        pairs += [("neighbour in E", target.id, int(i)) for i in near]
        pairs += [("random word", target.id, int(i)) for i in drawn if i != target.id]
    for one, other in combinations(targets.itertuples(), 2):
        first, second = known[one.listed], known[other.listed]
        same = [key for key in ("category", "frequency_band") if first[key] == second[key]]
        relation = " and ".join(["same", *same][1:]).replace("_", " ")
        pairs.append((f"same {relation}" if same else "other target", one.id, other.id))
    return pairs


def _shared(of, pairs, words, sizes, name, condition, null, replicate) -> list[dict]:
    """Return the share of neurons that each pair of words has in common."""
    ids = sorted({i for _, *pair in pairs for i in pair})
    table = pd.DataFrame({"word": [str(i) for i in ids], "id": ids})
    groups = _by_word(of, table, sizes, condition)
    layers = sorted({layer for _, layer, _ in groups})
    return [
        {"null": null, "draw": replicate, "condition": name, "relation": relation, "word": one}
        | {"size": size}
        | {
            "share": np.mean(
                [
                    len(groups[str(one), la, size] & groups[str(other), la, size]) / size
                    for la in layers
                ]
            )
        }
        for relation, one, other in pairs
        for size in sizes
    ]


def _means(rows, keys, column, intervals) -> pd.DataFrame:
    """Return means over words with intervals, and the model's excess over each null model."""
    table = pd.DataFrame(rows)
    by_word = table.groupby([*keys, "size", "null", "word"], sort=False)[column].mean()
    found = []
    for names, own in by_word.groupby([*keys, "size"], sort=False):
        by_null = {null: values for null, values in own.groupby("null", sort=False)}
        model = by_null.pop("model").droplevel("null")
        row = dict(zip([*keys, "size"], names, strict=True)) | {"words": len(model)}
        row |= dict(
            zip((column, "ci_low", "ci_high"), centre(model, np.mean, intervals), strict=True)
        )
        for null, values in by_null.items():
            difference = (model - values.droplevel("null")).dropna()
            excess = centre(difference, np.mean, intervals)
            columns = (f"{null}_excess", f"{null}_excess_low", f"{null}_excess_high")
            row |= {null: values.mean()} | dict(zip(columns, excess, strict=True))
        found.append(row)
    return pd.DataFrame(found)


if "snakemake" in globals():
    run(main, snakemake)
