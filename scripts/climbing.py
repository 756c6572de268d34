"""One batch of objectives, climbed and kept: what the two ascent scripts share."""

import logging

import torch
from safetensors.torch import save_file

from textualization.ascent import AscentSettings, ascend, mean_of
from textualization.files import atomic
from textualization.starts import vocabulary_vectors


def climb(model, groups, identities, labels, settings, init, seed, optima) -> None:
    """Ascend on the mean activation of every group; write the batch's optima.

    groups: lists of (site, layer, index). identities: what x₀ is drawn by, one tuple each.
    labels: names and whole numbers, one per objective, kept with the optima.
    """
    objectives = mean_of(groups, model)
    x0 = vocabulary_vectors(seed, identities, len(model.word_embeddings), **init)
    start = torch.from_numpy(x0).to(model.device) @ model.word_embeddings.double()

    def progress(step: int, activation: float) -> None:
        logging.info("step %d of %d: mean activation %.4f", step, settings["steps"], activation)

    found = ascend(model, objectives, start, AscentSettings(**settings), progress)
    tensors = {
        "start": start.float(),
        "embedding": found.embedding.float(),
        "coefficients": found.coefficients.float(),
        "start_share": found.start_share.float(),
        "activation": found.activation.double(),
        "ceiling": objectives.ceiling(model),
        "finite": found.finite,
        "steps": torch.from_numpy(found.steps),
        "curve": found.curve.float(),
    }
    tensors |= {name: torch.as_tensor(values) for name, values in labels.items()}
    with atomic(optima) as partial:
        save_file({name: t.contiguous().cpu() for name, t in tensors.items()}, partial)
