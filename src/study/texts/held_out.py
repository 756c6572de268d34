"""Sentences that no search of an experiment reads, and what they say of what was found.

A search in a corpus reads one half of it. Whatever an experiment found, by any search or ascent, is
judged on the other half, which none of them has read.
"""

from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from textualization.analysis.explanation import plain_explanation
from textualization.ascent.objectives import mean_of
from textualization.corpora import sentences
from textualization.errors import RequestError
from textualization.models.model import Model
from textualization.models.token_activations import TokenPass
from textualization.registry import SIGNS

#: Measures, by the column of what is judged: what was found, and the mean embedding of its top items.
MEASURES = {"embedding": "explanation_sentences", "top_items": "explanation_top_sentences"}

#: Texts per forward pass.
AT_ONCE = 64


def halves(corpus: str | Path) -> tuple[list[str], list[str]]:
    """Split a corpus: the sentences that searches read, and those that are held out.

    Lines of even number are searched, those of odd number held out. A sentence that is in both halves is
    searched only. Empty lines are skipped.

    Args:
        corpus: a file, see `textualization.corpora.sentences`.

    Raises:
        RequestError: a half has no sentence.
    """
    lines = [text if text.strip() else "" for text in sentences(corpus)]
    searched = [text for text in lines[1::2] if text]
    known = set(searched)
    held_out = [text for text in lines[::2] if text and text not in known]
    for half, has in (("even", searched), ("odd", held_out)):
        if not has:
            raise RequestError(
                f"corpus: {corpus} has no sentence of its own on the lines of {half} number (allowed: "
                "one or more; even ones are searched, what was found is judged on odd ones)"
            )
    return searched, held_out


def token_activations(
    model: Model, texts: list[str], groups: list
) -> tuple[np.ndarray, np.ndarray]:
    """Read texts, each by itself, at every token of it; in the order of their length.

    Args:
        model: the model with its tokenizer. It may seek minima.
        texts: the texts; one is cut at the model's last position.
        groups: per objective its neurons (site, layer, index), whose mean activation it is.

    Returns:
        The tokens' ids, (T,), and the activations, (T, n), float64, with the sign that the model seeks.
    """
    # Texts are read with activations as they are.
    plain = Model(
        model.tensors, model.facts, model.words, model.tokenizer,
        name=model.name, device=model.device, dtype=model.dtype,
    )  # fmt: skip
    reading = TokenPass(plain)
    objectives = mean_of(groups, reading.transformer)
    encodings = model.tokenizer.encode_batch(texts, add_special_tokens=False)
    of_texts = sorted((one.ids[: reading.limit] for one in encodings if one.ids), key=len)
    values = []
    # Texts of equal length are read together: nothing has to be padded.
    for _, same in groupby(of_texts, key=len):
        for ids in torch.tensor(list(same)).split(AT_ONCE):
            with torch.inference_mode():
                found = reading.values(objectives, reading.embeddings(ids))
            values.append(found.flatten(0, 1).double().cpu().numpy())
    return np.concatenate(of_texts), SIGNS[model.seek] * np.concatenate(values)


def judged(found: pd.DataFrame, at: np.ndarray, place, model: Model, read) -> pd.DataFrame:
    """Measure how well what was found predicts activations within sentences.

    Args:
        found: optima of one condition of an experiment: `embedding`, and of searches `top_items`.
        at: of each optimum the column of its objective in the activations, (n,).
        place: the position that the ascents read, from 1, if there are several.
        model: the model, with its words.
        read: what `token_activations` returns.

    Returns:
        MEASURES: Pearson's correlation, over all tokens, of the cosine to the token's embedding and of
        the activation at the token in its sentence. NaN where there are no top items.
    """
    ids, activations = read
    words, activations = model.embeddings[ids], activations[:, at]
    inputs = {"embedding": _where_read(found["embedding"], place, words.shape[1])}
    if "top_items" in found and found["top_items"].notna().all():
        id_of = pd.Series(model.words.index, index=model.words["word"])
        top = [id_of[items.split(" ")].to_numpy() for items in found["top_items"]]
        inputs["top_items"] = np.stack([model.embeddings[of].mean(axis=0) for of in top])
    none = np.full(len(found), np.nan)
    return pd.DataFrame(
        {
            measure: plain_explanation(inputs[column], words, activations)
            if column in inputs
            else none
            for column, measure in MEASURES.items()
        },
        index=found.index,
    )


def _where_read(embedding: pd.Series, place, width: int) -> np.ndarray:
    """Return what was found at the position that is read alone, (n, H). Searches keep no other."""
    found = np.stack(list(embedding)).reshape(len(embedding), -1, width)
    return found[:, place - 1 if found.shape[1] > 1 else 0]
