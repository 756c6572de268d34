"""Searches of experiments: the best of all words, a text of some tokens, the best token of a corpus."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from textualization.ascent.exhaustive import try_words
from textualization.ascent.objectives import mean_of
from textualization.ascent.protocol import IDENTITY, NEURONS, Protocol
from textualization.models.model import Model
from textualization.optima_arrays import OptimaArrays
from textualization.sentences import best_sentences
from textualization.texts import ascend_text


def search(
    model: Model, objectives: pd.DataFrame, protocol: Protocol, corpus: Path | None
) -> tuple[OptimaArrays, pd.DataFrame]:
    """Search for every objective, by a solver of `study.config.variables.SEARCHES`.

    Args:
        model: the model, with its words and, for texts, its tokenizer.
        objectives: a table of objectives, see `ascend_objectives`.
        protocol: the solver with its options, the length of texts and the token that is read.
        corpus: the file of sentences; None unless the solver is `corpus`.

    Returns:
        What was found, as optima at the token that is read, without an ascent; and a row per objective:
        `text`, `token` and `text_place` (of the token that is read, from 1), `top_ids` (a list).
    """
    found = {"exhaustive": _words, "coordinate": _texts, "corpus": _sentences}[protocol.solver]
    items, activation = found(model, objectives, protocol, corpus)
    read = items.pop("id").to_numpy()
    items.insert(1, "token", model.words["word"].to_numpy()[read])
    e, none = model.embeddings[read], np.zeros(len(objectives), dtype=int)
    transformer = model.transformer(protocol.dtype)
    optima = OptimaArrays(
        objectives=objectives.drop(columns=[NEURONS, IDENTITY]),
        start=e,
        embedding=e,
        activation=activation,
        ceiling=mean_of(objectives[NEURONS].tolist(), transformer).ceiling(transformer).numpy(),
        largest_entries=np.empty((len(objectives), 0), int),
        finite=np.isfinite(activation),
        dead=none.astype(bool),
        taken=none,
        steps=np.array([0]),
        curve=activation[None],
    )
    return optima, items


def _words(model, objectives, protocol, corpus) -> tuple[pd.DataFrame, np.ndarray]:
    """Try all candidate words; the top items are the best ones."""
    transformer = model.transformer(protocol.dtype)
    means = mean_of(objectives[NEURONS].tolist(), transformer)
    candidates = torch.as_tensor(np.flatnonzero(model.candidates))
    ids, activation = try_words(transformer, means, candidates, **protocol.options)
    ids = ids.cpu().numpy()
    items = pd.DataFrame({"text": model.words["word"].to_numpy()[ids[:, 0]], "text_place": 1})
    items = items.assign(top_ids=list(ids), id=ids[:, 0])
    return items, activation[:, 0].double().cpu().numpy()


def _texts(model, objectives, protocol, corpus) -> tuple[pd.DataFrame, np.ndarray]:
    """Ascend on texts; the top items are a text's own tokens."""
    found = ascend_text(
        model,
        groups=_named(objectives),
        tokens=protocol.length,
        place=protocol.place,
        steps=protocol.steps,
        seed=protocol.seed,
        dtype=protocol.dtype,
        **protocol.options,
    )
    read = found.ids[np.arange(len(found)), found.place]
    items = pd.DataFrame({"text": found.text, "text_place": found.place + 1})
    return items.assign(top_ids=list(found.ids), id=read), found.activation


def _sentences(model, objectives, protocol, corpus) -> tuple[pd.DataFrame, np.ndarray]:
    """Read a corpus; the top items are the best tokens of its sentences."""
    how = {"quantiles": (), "dtype": protocol.dtype, **protocol.options}
    found = best_sentences(model, corpus, groups=_named(objectives), **how)
    best = found.table().query("rank == 1")
    items = pd.DataFrame(
        {"text": best["text"].to_numpy(), "text_place": best["position"].to_numpy()}
    )
    ids = [np.array(of) for of in found.ids]
    return items.assign(top_ids=ids, id=[of[0] for of in ids]), found.activation


def _named(objectives: pd.DataFrame) -> dict[str, list]:
    """Return the objectives' neurons by names, which seed the starts of texts as x₀ is seeded."""
    identities = zip(objectives["kind"], objectives[IDENTITY], strict=True)
    names = ["/".join(map(str, (kind, *identity))) for kind, identity in identities]
    return dict(zip(names, objectives[NEURONS], strict=True))
