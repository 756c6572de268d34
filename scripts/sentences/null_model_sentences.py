"""Read the drawn sentences with null models: what share of its optimum does a sentence reach?"""

import pandas as pd
import torch

from study.job import in_turn, run
from study.objective_names import KEYS, names_of
from study.texts.corpus_readings import best_in, drawn_sentences, open_for_texts
from textualization.analysis.similarity import utilisation
from textualization.files import write_table


def main(
    corpus, weights, tokenizer, candidates, optima, replicates, reading, device, threads, seed,
    drawn, table,
) -> None:  # fmt: skip
    torch.set_num_threads(threads)
    part, words = drawn_sentences(corpus, drawn, seed), pd.read_parquet(candidates)
    optima, tables = pd.read_parquet(optima), []
    for replicate, path in in_turn("replicate", zip(replicates, weights, strict=True)):
        own = optima.loc[
            optima["draw"] == replicate, ["null", "draw", *KEYS["singles"], "activation"]
        ]
        objectives = pd.DataFrame({"kind": "singles", "objective": names_of("singles", own)})
        model = open_for_texts(path, reading, tokenizer, words, device)
        _, found = best_in(model, part, objectives.assign(neurons=None), reading, seed)
        reached = found["activation"].to_numpy()
        share = utilisation(reached, own["activation"])
        tables.append(own.assign(drawn_activation=reached, utilisation_drawn_sentence=share))
    tables = pd.concat(tables, ignore_index=True)
    write_table(tables.rename(columns={"activation": "optimum"}), table)


if "snakemake" in globals():
    run(main, snakemake)
