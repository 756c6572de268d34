"""Read a corpus: the tokens that activate each neuron, group and direction of the study most."""

import logging

import pandas as pd
import torch

from study.job import run
from study.studied_objectives import studied_objectives
from study.texts.corpus_readings import best_in, drawn_sentences, open_for_texts
from textualization.files import write_table


def main(
    corpus, weights, tokenizer, candidates, reading, device, threads, seed, singles, sizes, top,
    drawn, sentences, summary, targets=None, rankings=(), vectors=(),
) -> None:  # fmt: skip
    torch.set_num_threads(threads)
    objectives = studied_objectives(singles, rankings, targets, sizes, vectors)
    words = pd.read_parquet(candidates)
    model = open_for_texts(weights, reading, tokenizer, words, device)
    tokens, found = best_in(model, corpus, objectives, reading, seed, top)
    read = found.iloc[0]
    logging.info("%d sentences, %d tokens, %d cut", read["sentences"], read["tokens"], read["cut"])
    # Null models read a part of the corpus. They are compared with what that part reaches here.
    part = drawn_sentences(corpus, drawn, seed)
    _, of_part = best_in(model, part, objectives, reading, seed)
    found = found.assign(drawn=len(part), drawn_activation=of_part["activation"])
    write_table(tokens, sentences)
    write_table(found, summary)


if "snakemake" in globals():
    run(main, snakemake)
