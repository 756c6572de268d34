"""Judge all that an experiment found on held-out sentences: the model, or all replicates of a null.

The sentences are read once for all conditions that have the same objectives.
"""

import numpy as np
import pandas as pd
import torch

from study.config.variables import CHOICE
from study.experiments.inputs import ExperimentInputs
from study.experiments.objectives import FACTS
from study.job import in_turn, run
from study.results import OBJECTIVE, read_tables
from study.texts.corpus_readings import drawn_sentences
from study.texts.held_out import judged, token_activations
from textualization.files import write_table


def main(
    optima: list, held_out, drawn, weights: list, candidates, reference, targets, tokenizer, contexts,
    conditions, requested, seed, replicates, device, threads, table,
) -> None:  # fmt: skip
    torch.set_num_threads(threads)
    optima, texts = read_tables(optima), drawn_sentences(held_out, drawn, seed)
    inputs = ExperimentInputs.read(
        candidates, reference, targets, tokenizer, contexts, conditions, requested, seed
    )
    tables = []

    def explain(path, replicate):
        # In a function, so that its model is freed before the next is opened.
        # Sentences stand alone: a study whose words have a context is refused.
        plain = inputs.open(path, replicate, len(replicates), context=(), device=device)
        own = optima[optima["draw"] == replicate]
        for choice, names in _same_objectives(conditions):
            neurons = plain.in_basis(choice["basis"], choice["site"])
            objectives = neurons.objectives(requested, inputs.chosen, choice)
            if not len(objectives):
                continue
            read = token_activations(neurons.model, texts, objectives["neurons"].tolist())
            for name in names:
                found = own[own["condition"] == name]
                if not len(found):  # a block without this null
                    continue
                at = _rows(found, objectives)
                place = conditions[name]["protocol"]["place"]
                measures = judged(found, at, place, neurons.model, read)
                tables.append(found[[*OBJECTIVE, "condition"]].join(measures))

    for replicate, path in in_turn("replicate", zip(replicates, weights, strict=True)):
        explain(path, replicate)
    write_table(pd.concat(tables, ignore_index=True), table)


def _same_objectives(conditions: dict) -> list[tuple[dict, list[str]]]:
    """List choices of neurons, each with the names of the conditions that have it."""
    names: dict[tuple, list[str]] = {}
    for name, condition in conditions.items():
        names.setdefault(tuple(condition[key] for key in CHOICE), []).append(name)
    return [(dict(zip(CHOICE, choice, strict=True)), same) for choice, same in names.items()]


def _rows(found: pd.DataFrame, objectives: pd.DataFrame) -> np.ndarray:
    """Find the objective of every optimum."""
    known, wanted = (pd.MultiIndex.from_frame(table[FACTS]) for table in (objectives, found))
    rows = known.get_indexer(wanted)
    if (rows < 0).any():
        raise ValueError(f"no objective is {wanted[rows < 0][0]}: the optima have other neurons")
    return rows


if "snakemake" in globals():
    run(main, snakemake)
