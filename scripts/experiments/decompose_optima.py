"""Optima as mixtures of words, and their hidden states compared with those of words.

One table gives the share of an optimum's direction that its best mixture of k words explains,
compared with random directions. The other gives the cosine of the optima's hidden states to those
of words by layer, after subtracting the mean state of random words.
"""

import numpy as np
import pandas as pd
import torch

from study.job import run
from study.models import open_model
from study.results import read_experiment
from textualization.analysis.decomposition import decompose, layerwise_cosine, share_explained
from textualization.analysis.estimates import Intervals, centre
from textualization.analysis.similarity import like_words, nearest_words
from textualization.draws import generator
from textualization.files import write_table
from textualization.models.transformer import Tap
from textualization.report.tables import TableFiles, write_for_people

#: Words in a mixture; random words and directions of each kind.
COUNT, DRAWN = 20, 40


def main(
    optima, weights, candidates, sources, reading, intervals: Intervals, files: TableFiles,
    paths: TableFiles, mixtures, context=(),
) -> None:  # fmt: skip
    optima, words = read_experiment(optima), pd.read_parquet(candidates)
    explained, cosines, kept = [], [], []
    for (null, replicate), path in zip(sources, weights, strict=True):
        model = open_model(path, reading, context=context).word_transformer()
        own = optima[(optima["null"] == null) & (optima["draw"] == replicate)]
        vectors = _compared(own, model, words, intervals.seed, null, replicate)
        found = _explained(vectors, model, words)
        labels = {"null": null, "draw": replicate}
        explained.append(found.assign(**labels))
        cosines.append(_paths(own, model, words, intervals.seed).assign(**labels))
        kept.append(_mixtures(found, words).assign(**labels))
    write_for_people(_explained_means(pd.concat(explained), intervals), files)
    write_for_people(_path_means(pd.concat(cosines), intervals), paths)
    write_table(pd.concat(kept, ignore_index=True), mixtures)


def _compared(own, model, words, seed, null, replicate) -> pd.DataFrame:
    """Return the optima, and random directions, directions with the words' covariance and starts."""
    e, dice = model.word_embeddings.numpy(), generator(seed, "decomposition", null, replicate)
    candidates = np.flatnonzero(words["candidate"])
    rows = own[["kind", "condition", "embedding"]].to_dict("records")
    random = {
        "random direction": dice.standard_normal((DRAWN, e.shape[1])),
        "like words": like_words(dice.standard_normal((DRAWN, e.shape[1])), e[candidates]),
        "start": dice.standard_normal((DRAWN, len(e))) @ e,
    }
    for name, vectors in random.items():
        rows += [{"kind": name, "condition": "", "embedding": v} for v in vectors]
    return pd.DataFrame(rows)


def _explained(vectors, model, words) -> pd.DataFrame:
    found = decompose(
        np.stack(vectors["embedding"]),
        model.word_embeddings.numpy(),
        words["candidate"].to_numpy(),
        COUNT,
    )
    table = vectors.drop(columns="embedding")
    table["share"] = list(share_explained(found.cosine))
    return table.assign(words=list(found.words), weights=list(found.weights))


def _mixtures(found, words) -> pd.DataFrame:
    names = words["word"].to_numpy()
    return found.assign(words=[" ".join(names[i] for i in ids if i >= 0) for ids in found["words"]])


def _explained_means(explained, intervals) -> pd.DataFrame:
    """Return the mean share of a direction that its best k words explain, by kind of direction."""
    rows = []
    for names, same in explained.groupby(["null", "kind", "condition"], sort=False):
        shares = np.stack(same["share"])
        for k in (1, 2, 3, 5, 10, 20):
            value, low, high = centre(shares[:, k - 1], np.mean, intervals)
            row = dict(zip(("null", "of", "condition"), names, strict=True))
            rows.append(row | {"words": k, "n": len(same), "explained": value} | _bounds(low, high))
    return pd.DataFrame(rows)


def _bounds(low, high) -> dict:
    return {"ci_low": low, "ci_high": high}


def _paths(own, model, words, seed) -> pd.DataFrame:
    """Return cosines of the optima's hidden states to those of words, by layer (0: the input).

    The mean state of random words is subtracted: all inputs share it, so it makes every cosine high.
    """
    e, candidates = model.word_embeddings.numpy(), words["candidate"].to_numpy()
    dice, taps = generator(seed, "paths"), [Tap("output", la) for la in range(1, model.layers + 1)]

    def states(inputs) -> np.ndarray:
        with torch.inference_mode():
            found = model.activations(torch.as_tensor(inputs, dtype=model.dtype), taps)
        return np.stack([inputs, *(found[tap].numpy() for tap in taps)])

    drawn = dice.choice(np.flatnonzero(candidates), 2 * DRAWN, replace=False)
    of_drawn = states(e[drawn])
    mean = of_drawn.mean(axis=1)
    optima = np.stack(own["embedding"])
    of_optima = states(optima)
    nearest, _ = nearest_words(optima, e, candidates)
    pairs = {"its nearest word": states(e[nearest])}
    others = dice.choice(drawn, len(own))
    pairs["a random word"] = states(e[others])
    tables = []
    for other, of_other in pairs.items():
        cosine = layerwise_cosine(of_optima, of_other, mean)
        tables.append(_long(cosine, own["kind"].to_numpy(), own["condition"].to_numpy(), other))
    has = (own["target"] >= 0).to_numpy()
    if has.any():
        target = states(e[own["target"].to_numpy()[has]])
        cosine = layerwise_cosine(of_optima[:, has], target, mean)
        kind, condition = (own[name].to_numpy()[has] for name in ("kind", "condition"))
        tables.append(_long(cosine, kind, condition, "its own word"))
    words_near, _ = nearest_words(e[drawn], e, candidates & ~np.isin(np.arange(len(e)), drawn))
    cosine = layerwise_cosine(of_drawn, states(e[words_near]), mean)
    tables.append(
        _long(cosine, np.full(len(drawn), "word"), np.full(len(drawn), ""), "its nearest word")
    )
    return pd.concat(tables, ignore_index=True)


def _long(cosine, kind, condition, other) -> pd.DataFrame:
    layers, n = cosine.shape
    return pd.DataFrame(
        {
            "layer": np.repeat(np.arange(layers), n),
            "of": np.tile(kind, layers),
            "condition": np.tile(condition, layers),
            "other": other,
            "cosine": cosine.ravel(),
        }
    )


def _path_means(paths, intervals) -> pd.DataFrame:
    rows, keys = [], ["null", "of", "condition", "other", "layer"]
    for names, same in paths.groupby(keys, sort=False):
        value, low, high = centre(same["cosine"], np.mean, intervals)
        row = dict(zip(keys, names, strict=True)) | {"n": len(same), "cosine": value}
        rows.append(row | _bounds(low, high))
    return pd.DataFrame(rows)


if "snakemake" in globals():
    run(main, snakemake)
