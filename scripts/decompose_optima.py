"""Of which words optima are made, and how they run through the layers beside real words."""

import numpy as np
import pandas as pd
import torch

from model_access import load_model
from running import run
from sweeping import read_sweep
from textualization.decomposition import decompose, layerwise_cosine, share_explained
from textualization.estimates import centre
from textualization.files import write_table
from textualization.presenting import write_for_people
from textualization.similarity import like_words, nearest_words
from textualization.starts import generator
from textualization.transformer import Tap

#: Words in a mixture; words drawn for comparison.
COUNT, DRAWN = 20, 40


def main(
    optima, weights, candidates, sources, read, confidence, resamples, seed,
    csv, md, tex, html, paths_csv, paths_md, paths_tex, paths_html, mixtures,
) -> None:  # fmt: skip
    how = {"confidence": confidence, "resamples": resamples, "seed": seed}
    optima, words = read_sweep(optima), pd.read_parquet(candidates)
    explained, paths, kept = [], [], []
    for (null, draw), path in zip(sources, weights, strict=True):
        model = load_model(path, read, "cpu")
        own = optima[(optima["null"] == null) & (optima["draw"] == draw)]
        vectors = _compared(own, model, words, seed, null, draw)
        found = _explained(vectors, model, words)
        explained.append(found.assign(null=null, draw=draw))
        paths.append(_paths(own, model, words, seed).assign(null=null, draw=draw))
        kept.append(_mixtures(found, words).assign(null=null, draw=draw))
    write_for_people(_explained_means(pd.concat(explained), how), csv, md, tex, html)
    write_for_people(_path_means(pd.concat(paths), how), paths_csv, paths_md, paths_tex, paths_html)
    write_table(pd.concat(kept, ignore_index=True), mixtures)


def _compared(own, model, words, seed, null, draw) -> pd.DataFrame:
    """The optima, and what stands beside them: starts of no neuron, directions like the words'."""
    e, dice = model.word_embeddings.numpy(), generator(seed, "decomposition", null, draw)
    candidates = np.flatnonzero(words["candidate"])
    rows = own[["kind", "condition", "embedding"]].to_dict("records")
    beside = {
        "random direction": dice.standard_normal((DRAWN, e.shape[1])),
        "like words": like_words(dice.standard_normal((DRAWN, e.shape[1])), e[candidates]),
        "start": dice.standard_normal((DRAWN, len(e))) @ e,
    }
    for name, vectors in beside.items():
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
    told = [" ".join(names[i] for i in ids if i >= 0) for ids in found["words"]]
    return found.assign(words=told)


def _explained_means(explained, how) -> pd.DataFrame:
    """The share of a direction that its best k words explain, by what it is of."""
    rows = []
    for names, same in explained.groupby(["null", "kind", "condition"], sort=False):
        shares = np.stack(same["share"])
        for k in (1, 2, 3, 5, 10, 20):
            value, low, high = centre(shares[:, k - 1], np.mean, **how)
            row = dict(zip(("null", "of", "condition"), names, strict=True))
            rows.append(row | {"words": k, "n": len(same), "explained": value} | _bounds(low, high))
    return pd.DataFrame(rows)


def _bounds(low, high) -> dict:
    return {"ci_low": low, "ci_high": high}


def _paths(own, model, words, seed) -> pd.DataFrame:
    """Cosines, layer by layer, of the optimum's hidden states to those of words.

    Less the mean state of random words: what all inputs share would make every cosine high. Layer 0 is
    the input itself.
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


def _path_means(paths, how) -> pd.DataFrame:
    rows, keys = [], ["null", "of", "condition", "other", "layer"]
    for names, same in paths.groupby(keys, sort=False):
        value, low, high = centre(same["cosine"], np.mean, **how)
        row = dict(zip(keys, names, strict=True)) | {"n": len(same), "cosine": value}
        rows.append(row | _bounds(low, high))
    return pd.DataFrame(rows)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        optima=snakemake.input.optima,
        weights=snakemake.input.weights,
        candidates=snakemake.input.candidates,
        **dict(snakemake.params.items()),
        **dict(snakemake.output.items()),
    )
