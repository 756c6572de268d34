"""How the rule of recovery does in single layers, and after other ascents: docs/recovery-layers.md.

Groups of neurons from one layer, or from all, of MiniLM and of its null models ascend through the
library, by several solvers. What is expected of them, before any ascent, is as in recovery_rule.py.
"""

import argparse
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import textualization as tx
from recovery_page import KINDS, Resampled, mean_of_known, r2
from recovery_rule import cosine, expected
from show import _table
from textualization.analysis.null_draws import dealt
from textualization.analysis.selection import neuron_tuples
from textualization.analysis.similarity import nearest_words
from textualization.draws import generator
from textualization.files import write_text
from textualization.models.model import Model
from textualization.models.null_models import derive
from textualization.models.word_activations import all_taps

ASCENTS = {
    "lbfgs, 105 steps": {"solver": "lbfgs", "steps": 105, "dtype": "float64"},
    "paper's, 200 steps": {"solver": "paper", "steps": 200, "rate": 1001.0},
    "paper's, 1,000 steps": {"solver": "paper", "steps": 1000, "rate": 1001.0},
}
#: The ascent that groups of single layers take too.
OF_LAYERS = "lbfgs, 105 steps"
ALL = "all layers"
#: Group sizes: from all layers, and from one.
SIZES, SIZES_OF_LAYER = (25, 50, 100, 250), (10, 25, 50, 100)
REPLICATES, SEED = 2, 2023
#: Words that directions are fitted on and judged by; starts at which gradients are taken.
WORDS, STARTS = 2000, 2


def main(folder, targets, threads, out, page) -> None:
    if not Path(out).exists():
        write_text(_made(folder, targets, threads).to_csv(index=False, float_format="%.5g"), out)
    _write(pd.read_csv(out, dtype={"word": str}), page)


def _made(folder, targets, threads) -> pd.DataFrame:
    torch.set_num_threads(threads)
    logging.basicConfig(level=logging.WARNING)
    model = tx.load(folder, device="cpu")
    names = pd.read_csv(targets, sep="\t", keep_default_na=False)["word"]
    ids = np.array([model.lookup.find(name) for name in names])
    ids = ids[ids >= 0]
    tables = [of_source(model, ids, "model", 0)]
    for null in ("permuted", "untrained"):
        for replicate in range(REPLICATES):
            some = np.array(dealt(ids.tolist(), replicate, -(-len(ids) // REPLICATES)))
            tables.append(of_source(_derived(model, null, replicate), some, null, replicate))
            print(null, replicate, flush=True)
    return pd.concat(tables, ignore_index=True)


def of_source(model: Model, ids: np.ndarray, null: str, replicate: int) -> pd.DataFrame:
    """A row per group and ascent (`study`), of the model or of a replicate of a null model."""
    taps = all_taps(model.transformer(), ["output"])
    draw = generator(SEED, "recovery rule", "words")
    among = draw.permutation(np.setdiff1d(np.flatnonzero(model.candidates), ids))[:WORDS]
    by_words, own = (
        np.concatenate(list(model.word_activations(read, taps).values()), axis=1)
        for read in (among, ids)
    )
    groups, columns = chosen_groups(own, ids, model.layers, model.width("output"))
    activations = np.stack([by_words[:, rows].mean(axis=1) for rows in columns], axis=1)
    parts = []
    for scope, rows in groups.groupby("scope", sort=False).indices.items():
        found = expected(
            model,
            SEED,
            (null, replicate),
            taps=taps,
            chosen=[columns[row] for row in rows],
            neurons=own.shape[1] // (1 if scope == ALL else model.layers),
            among=among,
            activations=activations[:, rows].astype(float),
            targets=groups["id"].to_numpy()[rows],
            scale=1.0,
            starts=STARTS,
        )
        parts.append(groups.iloc[rows].assign(**found))
    groups = pd.concat(parts).sort_index()
    places = neuron_tuples(model.neurons("output"))
    neurons = [[places[column] for column in rows] for rows in columns]
    tables = []
    for ascent, how in ASCENTS.items():
        kept = np.flatnonzero((groups["scope"] == ALL) | (ascent == OF_LAYERS))
        wanted = {f"group {row}": neurons[row] for row in kept}
        optima = tx.ascend(model, groups=wanted, seed=SEED, **how)
        of = groups.iloc[kept]
        nearest = nearest_words(optima.embedding, model.embeddings, model.candidates)[0]
        to_target = cosine(optima.embedding, model.embeddings[of["id"]])
        found = {"recovered": (nearest == of["id"]).astype(float), "target_cosine": to_target}
        tables.append(of.assign(study=ascent, **found))
    table = pd.concat(tables, ignore_index=True)
    # Curves are told apart by their selection: here, of the scope's neurons.
    facts = {"model": "minilm-l6", "null": null, "replicate": replicate}
    return table.assign(**facts, selection=table["scope"])


def chosen_groups(own: np.ndarray, ids: np.ndarray, layers: int, width: int):
    """The groups of all words: `scope`, `size`, `word`, `id`; and each one's columns of `own`.

    own: activations of all neurons, layer by layer, by the words themselves, (words, layers · width).
    """
    pools = {ALL: np.arange(layers * width)}
    pools |= {f"layer {la + 1}": la * width + np.arange(width) for la in range(layers)}
    rows, columns = [], []
    for scope, pool in pools.items():
        for id, activation in zip(ids, own, strict=True):
            order = pool[np.argsort(-activation[pool], kind="stable")]
            for size in SIZES if scope == ALL else SIZES_OF_LAYER:
                rows.append({"scope": scope, "size": size, "word": str(id), "id": id})
                columns.append(order[:size])
    return pd.DataFrame(rows), columns


def _derived(model: Model, null: str, replicate: int) -> Model:
    tensors = {name: np.asarray(tensor) for name, tensor in model.tensors.items()}
    tensors = derive(null, tensors, model.facts, SEED, replicate)
    tensors = {name: torch.from_numpy(np.array(tensor)) for name, tensor in tensors.items()}
    return Model(tensors, model.facts, model.words)


def by(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Per value of a column: what was expected and found, and the rule's share of variance."""
    rows = []
    for value, part in table.groupby(column, sort=False):
        part = part.assign(rule=part["rule_1"])
        whole = Resampled(part)
        row = {column: value, "curves' points": len(whole.curves)}
        row["R² of the rule"] = whole.interval(r2(whole.means("recovered"), whole.means("rule")))
        for kind in KINDS:
            of = Resampled(part[part["null"] == kind])
            for name, told in (("rule", "expected"), ("recovered", "found")):
                row[f"{kind}: {told}"] = of.interval(mean_of_known(of.means(name)))
        rows.append(row)
    return pd.DataFrame(rows)


def known(table: pd.DataFrame) -> pd.DataFrame:
    """Per scope and kind, before the ascent: linearity, agreement, the direction; and the cosines."""
    table = table.assign(expected_cosine=table["agreement"] * table["cosine_ridge"])
    names = {"r2": "R²", "agreement": "agreement", "cosine_ridge": "cosine of the direction"}
    names |= {"expected_cosine": "the optimum's expected cosine", "target_cosine": "found"}
    means = table.groupby(["scope", "null"], sort=False)[list(names)].mean()
    return means.rename(columns=names).reset_index()


def _write(table: pd.DataFrame, page) -> None:
    layers = table[table["study"] == OF_LAYERS]
    inside = layers[layers["scope"] != ALL]
    whole = Resampled(inside.assign(rule=inside["rule_1"]))
    of_all = table[table["scope"] == ALL].assign(ascent=lambda table: table["study"])
    numbers = {
        "words": table["word"].nunique(),
        "replicates": REPLICATES,
        "all": whole.interval(r2(whole.means("recovered"), whole.means("rule"))),
        "points": len(whole.curves),
        "scopes": _table(by(layers, "scope")),
        "ascents": _table(by(of_all, "ascent")),
        "known": _table(known(layers)),
    }
    text = Path(__file__).with_name("recovery-layers.md").read_text(encoding="utf-8")
    write_text(text.format(**numbers), page)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="MiniLM's folder, results/_models/minilm-l6-*")
    parser.add_argument("--targets", default="config/words.tsv")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--out", default="results/benchmarks/recovery_layers.csv", help="read if it exists"
    )
    parser.add_argument("--page", default="docs/recovery-layers.md")
    main(**vars(parser.parse_args()))
