"""Pack one model's part of the atlas: its neurons, optima, groups and nulls."""

from pathlib import Path

import numpy as np
import pandas as pd

from study.job import run
from study.objective_names import KEYS, names_of
from study.results import nulls_of_groups, read_embeddings, read_matrices, read_nulls
from study.stored_activations import activations_by_words
from study.targets import described_targets
from study.texts.sentence_activations import with_null_sentences, with_sentences
from textualization.analysis.similarity import utilisation
from textualization.files import atomic
from textualization.report.atlas import (
    NEURON,
    columns,
    directions_of,
    groups_of,
    neurons_of,
    nulls_by_layer,
    optima_of,
    packed,
    ranking_of,
    scatter_of,
    scatter_words,
)
from textualization.report.atlas_sentences import in_their_texts
from textualization.report.csv_tables import read_csv


def main(
    words, weights, summaries, rows, shown, sites, seed, seek, part, singles=None, curves=None,
    embeddings=None, activations=None, nulls=None, targets=None, groups=None, rankings=None,
    thresholds=None, group_nulls=None, directions=None, direction_curves=None,
    direction_embeddings=None, direction_nulls=None, sentences=None, texts=None, summary=None,
    null_sentences=(),
) -> None:  # fmt: skip
    """Write the part. Inputs from parts of the study that were not run are None."""
    vocabulary = pd.read_parquet(words)
    names = vocabulary["word"].to_numpy()
    summaries = pd.concat([pd.read_parquet(path) for path in summaries])
    neurons = neurons_of(summaries, names)
    document = {"neurons": columns(neurons), "words": list(dict.fromkeys(names)), "seek": seek}
    if singles:
        singles, found = pd.read_parquet(singles), np.load(embeddings, mmap_mode="r")
        e, candidates = read_embeddings(weights), vocabulary["candidate"].to_numpy()
        optima, steps = optima_of(
            singles, pd.read_parquet(curves), found, neurons, names, e, candidates, shown
        )
        if summary:
            beside = with_sentences(singles[singles["restart"] == 0], summary)
            share = utilisation(beside["drawn_activation"], beside["activation"])
            optima = optima.assign(utilisation_drawn_sentence=share.tolist())
        document |= {"optima": columns(optima), "steps": steps}
        first = singles.loc[singles["restart"] == 0, NEURON]
        drawn = scatter_words(candidates, len(first), seed)
        by_words = activations_by_words(first, read_matrices(sites, activations), drawn)
        top = summaries.set_index(NEURON)["top_words"].loc[pd.MultiIndex.from_frame(first)]
        document["scatter"] = scatter_of(found[first.index], drawn, by_words, top, names, e)
        if nulls:
            nulls = with_null_sentences(read_nulls(nulls), null_sentences)
            document["nulls"] = columns(nulls_by_layer(nulls))
    if groups:
        facts = groups_of(pd.read_parquet(groups))
        about = described_targets(pd.read_parquet(targets), rows)
        largest = facts["size"][facts["scope"] == "model"].max()
        document |= {"targets": columns(about), "groups": columns(facts)}
        document["rankings"] = {
            Path(path).stem.split("-")[0]: ranking_of(
                pd.read_parquet(path), about["word"], neurons, largest
            )
            for path in rankings
        }
        document["thresholds"] = columns(read_csv(thresholds))
        document["recovery"] = columns(nulls_of_groups(group_nulls, "recovery"))
    if directions:
        found, steps = directions_of(
            pd.read_parquet(directions), pd.read_parquet(direction_curves),
            np.load(direction_embeddings), names, read_embeddings(weights),
            vocabulary["candidate"].to_numpy(), shown,
        )  # fmt: skip
        document |= {"directions": columns(found), "direction_steps": steps}
        if direction_nulls:
            nulls = nulls_by_layer(read_nulls(direction_nulls), "set")
            document["direction_nulls"] = columns(nulls)
    if summary:
        read = pd.read_parquet(summary).iloc[0]
        document["corpus"] = {name: int(read[name]) for name in ("sentences", "tokens", "drawn")}
    of_kinds = {
        kind: names_of(kind, table) for kind, table in _of_kinds(singles, groups, document).items()
    }
    if sentences:
        document["sentences"] = _by_kind(pd.read_parquet(sentences), of_kinds)
    if texts:
        table = pd.read_parquet(texts).sort_values("length", kind="stable")
        document["texts"] = _by_kind(table, of_kinds, ("length", "local_optimum"))
    with atomic(part) as partial:
        partial.write_bytes(packed(document))


def _of_kinds(singles, groups, document: dict) -> dict[str, pd.DataFrame]:
    """Return what names the objectives of every kind, in the order of the document."""
    found = {}
    if singles is not None:
        found["singles"] = singles.loc[singles["restart"] == 0, KEYS["singles"]]
    if groups:
        found["groups"] = pd.DataFrame({key: document["groups"][key] for key in KEYS["groups"]})
    if "directions" in document:
        found["directions"] = pd.DataFrame({"name": document["directions"]["name"]})
    return found


def _by_kind(table: pd.DataFrame, names: dict, further=()) -> dict[str, list]:
    return {
        kind: in_their_texts(table[table["kind"] == kind], of, further)
        for kind, of in names.items()
    }


if "snakemake" in globals():
    run(main, snakemake)
