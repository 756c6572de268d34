"""How far the ways to choose a word's neurons agree, and whose neurons a word shares."""

from itertools import combinations

import numpy as np
import pandas as pd

from asking import Asked, words_asked
from running import run
from textualization.contexts import read_contexts
from textualization.estimates import centre
from textualization.presenting import write_for_people
from textualization.similarity import unit
from textualization.starts import generator

#: Words beside every target: its nearest ones in E, and ones drawn at random.
NEIGHBOURS, DRAWN = 3, 3


def main(
    contexts, weights, candidates, reference, targets, tokenizer, conditions, asked, known,
    sources, confidence, resamples, seed, csv, md, tex, html, sharing_csv, sharing_md,
    sharing_tex, sharing_html,
) -> None:  # fmt: skip
    words, targets = pd.read_parquet(candidates), pd.read_parquet(targets)
    reference = pd.read_parquet(reference)["id"].to_numpy()
    contexts = read_contexts(contexts)
    chosen = words_asked(asked, targets, words, contexts, seed)
    how = {"confidence": confidence, "resamples": resamples, "seed": seed}
    sizes, overlaps, shared = asked["groups"]["sizes"], [], []
    for (null, draw), path in zip(sources, weights, strict=True):
        read = next(iter(conditions.values()))["protocol"]["read"]
        of = Asked(path, read, words, reference, contexts, tokenizer, seed)
        groups = {name: _by_word(of, chosen, sizes, c) for name, c in conditions.items()}
        for one, other in combinations(groups, 2):
            for key in groups[one].keys() & groups[other].keys():
                row = {"null": null, "draw": draw, "condition": one, "other": other}
                row |= {"word": key[0], "size": key[2]}
                overlaps.append(row | {"overlap": _jaccard(groups[one][key], groups[other][key])})
        pairs = _pairs(targets, known, of, words, seed)
        alone = {name: c for name, c in conditions.items() if c["activations"] == "alone"}
        for name, condition in alone.items():
            shared += _shared(of, pairs, words, sizes, name, condition, null, draw)
    write_for_people(_means(overlaps, ["condition", "other"], "overlap", how), csv, md, tex, html)
    table = _means(shared, ["condition", "relation"], "share", how)
    write_for_people(table, sharing_csv, sharing_md, sharing_tex, sharing_html)


def _by_word(of: Asked, targets, sizes, condition) -> dict:
    """The neurons of every group, by its word, layer and size."""
    groups, rows = of.groups(targets, sizes, condition)
    keys = [(row["word"], row["scope_layer"], row["size"]) for row in rows]
    return {key: set(group) for key, group in zip(keys, groups, strict=True)}


def _jaccard(one: set, other: set) -> float:
    return len(one & other) / len(one | other)


def _pairs(targets, known, of: Asked, words, seed) -> list[tuple[str, int, int]]:
    """Pairs of words by how they are related: (relation, id, id)."""
    e, candidates = unit(of.model.word_embeddings.numpy()), words["candidate"].to_numpy()
    ids, pairs = np.flatnonzero(candidates), []
    for target in targets.itertuples():
        cosine = np.where(candidates, e @ e[target.id], -2)
        cosine[target.id] = -2
        near = np.argsort(-cosine, kind="stable")[:NEIGHBOURS]
        drawn = generator(seed, "random words", target.word).choice(ids, DRAWN, replace=False)
        pairs += [("neighbour in E", target.id, int(i)) for i in near]
        pairs += [("random word", target.id, int(i)) for i in drawn if i != target.id]
    for one, other in combinations(targets.itertuples(), 2):
        first, second = known[one.word], known[other.word]
        same = [key for key in ("category", "frequency_band") if first[key] == second[key]]
        relation = " and ".join(["same", *same][1:]).replace("_", " ")
        pairs.append((f"same {relation}" if same else "other target", one.id, other.id))
    return pairs


def _shared(of, pairs, words, sizes, name, condition, null, draw) -> list[dict]:
    """What share of their neurons two words have in common."""
    ids = sorted({i for _, *pair in pairs for i in pair})
    table = pd.DataFrame({"word": [str(i) for i in ids], "id": ids})
    groups = _by_word(of, table, sizes, condition)
    layers = sorted({layer for _, layer, _ in groups})
    return [
        {"null": null, "draw": draw, "condition": name, "relation": relation, "word": one}
        | {"size": size}
        | {
            "share": np.mean(
                [
                    len(groups[str(one), la, size] & groups[str(other), la, size]) / size
                    for la in layers
                ]
            )
        }
        for relation, one, other in pairs
        for size in sizes
    ]


def _means(rows, keys, column, how) -> pd.DataFrame:
    """Means over words, with intervals; null models' means and how far the model lies above."""
    table = pd.DataFrame(rows)
    by_word = table.groupby([*keys, "size", "null", "word"], sort=False)[column].mean()
    found = []
    for names, own in by_word.groupby([*keys, "size"], sort=False):
        by_null = {null: values for null, values in own.groupby("null", sort=False)}
        model = by_null.pop("model").droplevel("null")
        row = dict(zip([*keys, "size"], names, strict=True)) | {"words": len(model)}
        row |= dict(zip((column, "ci_low", "ci_high"), centre(model, np.mean, **how), strict=True))
        for null, values in by_null.items():
            difference = (model - values.droplevel("null")).dropna()
            excess = centre(difference, np.mean, **how)
            columns = (f"{null}_excess", f"{null}_excess_low", f"{null}_excess_high")
            row |= {null: values.mean()} | dict(zip(columns, excess, strict=True))
        found.append(row)
    return pd.DataFrame(found)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        contexts=snakemake.input.contexts,
        weights=snakemake.input.weights,
        candidates=snakemake.input.candidates,
        reference=snakemake.input.reference,
        targets=snakemake.input.targets,
        tokenizer=snakemake.input.tokenizer,
        **dict(snakemake.params.items()),
        **dict(snakemake.output.items()),
    )
