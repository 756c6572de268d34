"""Compute the activation of every neuron of a site by every word: `[CLS] w [SEP]`, or in a context."""

import logging

import numpy as np
import pandas as pd
import torch

from study.job import run
from study.models import open_model
from textualization.files import mapped_array
from textualization.models.word_activations import all_taps, in_batches


def main(
    weights, vocabulary, site, reading, words_per_pass, device, threads, matrix, context=()
) -> None:
    torch.set_num_threads(threads)
    words = len(pd.read_parquet(vocabulary))
    model = open_model(weights, reading, context=context, device=device).word_transformer()
    taps = all_taps(model, [site])
    shape = (len(taps), words, model.width(site))
    with mapped_array(matrix, shape, np.float32) as a:
        for rows, found in in_batches(model, np.arange(words), taps, words_per_pass):
            for tap, activations in found.items():
                a[tap.layer - 1, rows] = activations
            logging.info("%d of %d words", min(rows.stop, words), words)


if "snakemake" in globals():
    run(main, snakemake)
