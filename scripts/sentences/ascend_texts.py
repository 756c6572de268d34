"""Find texts of a few tokens that activate objectives most, by discrete ascent: one batch."""

import pandas as pd
import torch

from study.job import run
from study.studied_objectives import studied_objectives
from study.texts.corpus_readings import open_for_texts
from study.texts.studied_texts import texts_of
from textualization.files import write_table


def main(
    weights, tokenizer, candidates, reading, device, threads, seed, singles, sizes, settings,
    tokens: int, batch: int, per_job, table, targets=None, rankings=(), vectors=(),
) -> None:  # fmt: skip
    torch.set_num_threads(threads)
    objectives = studied_objectives(singles, rankings, targets, sizes, vectors)
    part = objectives.iloc[batch * per_job : (batch + 1) * per_job]
    model = open_for_texts(weights, reading, tokenizer, pd.read_parquet(candidates), device)
    write_table(texts_of(model, part, tokens, reading, seed, settings), table)


if "snakemake" in globals():
    run(main, snakemake)
