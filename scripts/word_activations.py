"""The activation of every neuron of a site for `[CLS] w [SEP]`, for every vocabulary entry w."""

import logging

import numpy as np
import pandas as pd
import torch

from model_access import load_model
from running import run
from textualization.files import mapped_array
from textualization.transformer import Tap


def main(weights, vocabulary, site, read, batch, device, threads, matrix) -> None:
    torch.set_num_threads(threads)
    words = pd.read_parquet(vocabulary)["word"]
    model = load_model(weights, read=read, device=device)
    taps = [Tap(site, layer) for layer in range(1, model.layers + 1)]
    shape = (len(taps), len(words), model.width(site))
    with mapped_array(matrix, shape, np.float32) as a, torch.inference_mode():
        for first in range(0, len(words), batch):
            found = model.activations(model.word_embeddings[first : first + batch], taps)
            for tap, activations in found.items():
                a[tap.layer - 1, first : first + batch] = activations.float().cpu().numpy()
            logging.info("%d of %d words", min(first + batch, len(words)), len(words))


if "snakemake" in globals():
    run(
        main,
        snakemake,
        weights=snakemake.input.weights,
        vocabulary=snakemake.input.vocabulary,
        site=snakemake.params.site,
        read=snakemake.params.read,
        batch=snakemake.resources.words_per_pass,
        device=snakemake.resources.device,
        threads=snakemake.threads,
        matrix=snakemake.output[0],
    )
