"""Gradient ascent on groups of a null model's neurons, chosen by its own word activations."""

import numpy as np
import pandas as pd

from climbing import job_of
from model_access import load_model
from nulling import all_taps, climb_groups, summaries, word_activations, words_of
from running import run
from textualization.files import write_table
from textualization.selection import scores, strongest


def main(
    weights, candidates, reference, targets, null, draws, sites, selections, sizes, per_draw, protocol,
    job, table,
) -> None:  # fmt: skip
    words, targets = pd.read_parquet(candidates), pd.read_parquet(targets)
    reference = pd.read_parquet(reference)["id"].to_numpy()
    tables, snapshots = [], []
    for draw, path in zip(draws, weights, strict=True):
        chosen = words_of(targets, draw, per_draw, protocol["seed"])
        model = load_model(path, protocol["read"], job["device"])
        neurons = summaries(model, reference, sites)
        found = word_activations(model, chosen["id"].to_numpy(), all_taps(model, sites))
        activations = np.concatenate(list(found.values()), axis=1)
        places = list(zip(neurons["site"], neurons["layer"], neurons["index"], strict=True))
        groups, rows = [], []
        for selection in selections:
            for target, activation in zip(chosen.itertuples(), activations, strict=True):
                score = scores(
                    selection, activation, neurons["max"], neurons["mean"], neurons["std"]
                )
                order = strongest(score, max(sizes))
                groups += [[places[place] for place in order[:size]] for size in sizes]
                rows += [(target.word, target.id, selection, size) for size in sizes]
        facts = pd.DataFrame(rows, columns=["word", "target", "selection", "size"])
        told, kept = climb_groups(groups, facts, null, draw, path, words, protocol, job, table)
        tables.append(told)
        snapshots += kept
    write_table(pd.concat(tables, ignore_index=True), table)
    for kept in snapshots:
        kept.remove()


if "snakemake" in globals():
    run(
        main,
        snakemake,
        weights=snakemake.input.weights,
        candidates=snakemake.input.candidates,
        reference=snakemake.input.reference,
        targets=snakemake.input.targets,
        null=snakemake.wildcards.null,
        **dict(snakemake.params.items()),
        job=job_of(snakemake),
        table=snakemake.output[0],
    )
