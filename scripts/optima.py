"""Optima as the describing scripts read them, and how they lie beside the words."""

from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import safe_open
from safetensors.numpy import load_file

from textualization.architecture import Architecture
from textualization.similarity import (
    collapsed,
    converged,
    nearest_words,
    target_similarity,
    utilisation,
)

KEPT = ("activation", "ceiling", "finite", "dead", "taken")
UTILISATIONS = ("best_word", "mean_word", "nearest_word")


def facts_of(batch, labels) -> pd.DataFrame:
    """What a batch of optima says of each: labels, KEPT, `largest_entries` (ids), `start_activation`.

    batch: as `climbing.climbed` returns it. labels: the names of the labels kept with each optimum.
    """
    facts = pd.DataFrame({name: batch[name] for name in (*labels, *KEPT)})
    facts["largest_entries"] = list(batch["largest_entries"])
    facts["start_activation"] = batch["curve"][0]
    return facts


def read_batches(paths, labels, name_parts, convergence, collapse):
    """Read ascent batches in order.

    labels: see `facts_of`. name_parts: what the parts of a file's name (split at `-`) mean, None for
    those that are no fact. convergence, collapse: settings of `converged` and `collapsed`.
    Returns the facts (`facts_of`, `converged`, `collapsed`, and the name parts), start and final
    embeddings (n, H), and the curves (DataFrame: `row`, `step`, `activation`).
    """
    facts, starts, embeddings, curves, rows = [], [], [], [], 0
    for path in paths:
        batch = load_file(path)
        if not len(batch["activation"]):
            continue
        table = facts_of(batch, labels)
        # One that broke off stays where it was, and had not come to rest.
        table["converged"] = converged(batch["steps"], batch["curve"], **convergence)
        table["converged"] &= table["finite"]
        table["collapsed"] = collapsed(batch["curve"], collapse)
        for part, value in zip(name_parts, Path(path).stem.split("-"), strict=True):
            if part:
                table[part] = int(value) if value.isdigit() else value
        facts.append(table)
        starts.append(batch["start"])
        embeddings.append(batch["embedding"])
        recorded, n = batch["curve"].shape
        curves.append(
            pd.DataFrame(
                {
                    "row": np.tile(np.arange(rows, rows + n), recorded),
                    "step": np.repeat(batch["steps"], n),
                    "activation": batch["curve"].ravel(),
                }
            )
        )
        rows += n
    return (
        pd.concat(facts, ignore_index=True),
        np.concatenate(starts),
        np.concatenate(embeddings),
        pd.concat(curves, ignore_index=True),
    )


def read_nulls(paths) -> pd.DataFrame:
    """All batches of nulls in one table; an empty one if there are none."""
    tables = [pd.read_parquet(path) for path in paths]
    return (
        pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["null", "site"])
    )


def with_curves(facts: pd.DataFrame, batch) -> pd.DataFrame:
    """Facts with each optimum's curve, `steps` and `curve` as lists: of nulls it is not judged here."""
    steps = [batch["steps"]] * len(facts)
    return facts.assign(steps=steps, curve=list(np.ascontiguousarray(batch["curve"].T)))


def nulls_of_groups(path, kind: str) -> pd.DataFrame:
    """Nulls of a kind of claim about groups, as they were written; may be empty.

    kind: `recovery` or `threshold`. Returns `null_model`, `value`, `low`, `high`, `selection`, and the
    claim's number as `size`: a group's size, or a threshold's percent.
    """
    columns = ["claim", "null_model", "null_value", "null_low", "null_high"]
    nulls = pd.read_csv(path, usecols=columns, dtype={"claim": str, "null_model": str})[columns]
    nulls = nulls.set_axis(["claim", "null_model", "value", "low", "high"], axis=1)
    parts = nulls.pop("claim").str.split(".", expand=True).reindex(columns=range(4))
    chosen = (parts[1] == kind) & nulls["value"].notna()
    nulls = nulls[chosen].astype({"value": float, "low": float, "high": float})
    return nulls.assign(selection=parts[2][chosen], size=parts[3][chosen].astype(int))


def read_embeddings(weights) -> np.ndarray:
    """The word-embedding matrix E, (V, H), without reading the rest of the model."""
    with safe_open(weights, framework="np") as file:
        return file.get_tensor("word_embeddings")


def singles_beside_words(facts, starts, found, embeddings, words, neurons, excite) -> pd.DataFrame:
    """Single neurons' optima beside the words.

    facts: of the optima, with `site`, `layer`, `index`. starts, found: (n, H). embeddings: E. words: the
    vocabulary with `candidate`. neurons: summaries of word activations (`textualization.words`).
    excite: a function of facts and one word's id for each, that gives what it does to the neuron.
    """
    names, candidates = words["word"].to_numpy(), words["candidate"].to_numpy()
    neurons = neurons.assign(
        best_word=names[neurons["top_words"].str[0].astype(int)],
        top_words=[" ".join(names[list(top)]) for top in neurons["top_words"]],
    )
    neurons = neurons.rename(
        columns={"max": "best_word_activation", "mean_abs": "mean_word_activation"}
    ).drop(columns=["mean", "std", "top_activations"])
    facts = facts.merge(neurons, on=["site", "layer", "index"], how="left", validate="many_to_one")
    nearest, cosine = nearest_words(found, embeddings, candidates)
    facts["largest_entries"] = [" ".join(names[list(ids)]) for ids in facts["largest_entries"]]
    facts["nearest_word"], facts["nearest_cosine"] = names[nearest], cosine
    facts["start_nearest_cosine"] = nearest_words(starts, embeddings, candidates)[1]
    facts["nearest_word_activation"] = excite(facts, nearest)
    return _with_utilisation(facts)


def groups_beside_words(facts, starts, found, embeddings, words, shown, excite) -> pd.DataFrame:
    """Groups' optima beside the words, above all the word that each group was chosen for.

    facts: of the optima, with `target` (a word's id). shown: nearest words to list. excite: a function
    of facts and the nearest words' ids that gives columns `<kind>_activation`. Otherwise as above.
    """
    names, candidates = words["word"].to_numpy(), words["candidate"].to_numpy()
    target = facts["target"].to_numpy()
    similar = target_similarity(found, target, embeddings, candidates, shown)
    nearest = similar["nearest_word"].to_numpy()
    facts = facts.drop(columns="target").assign(
        word=names[target],
        recovered=nearest == target,
        largest_entries=[" ".join(names[list(ids)]) for ids in facts["largest_entries"]],
        nearest_word=names[nearest],
        nearest_words=[" ".join(names[list(ids)]) for ids in similar["nearest_words"]],
        start_nearest_cosine=nearest_words(starts, embeddings, candidates)[1],
    )
    for column in ("nearest_cosine", "target_cosine", "target_rank", "margin"):
        facts[column] = similar[column]
    return _with_utilisation(facts.join(excite(facts, target, nearest)))


def _with_utilisation(facts: pd.DataFrame) -> pd.DataFrame:
    kinds = [kind for kind in UTILISATIONS if f"{kind}_activation" in facts]
    shares = {
        f"utilisation_{k}": utilisation(facts[f"{k}_activation"], facts["activation"])
        for k in kinds
    }
    return facts.assign(**shares)


def coordinates(neurons, weights, expected) -> np.ndarray:
    """What is to be expected of each neuron as a coordinate of a normalised state; (n,).

    neurons: with `site`, `layer`, `index`. expected: a function of LayerNorm's gain and bias, see
    `textualization.geometry`. NaN for what no LayerNorm or RMSNorm writes.
    """
    values = np.full(len(neurons), np.nan)
    outputs = (neurons["site"] == "output").to_numpy()
    with safe_open(weights, framework="np") as file:
        architecture = Architecture.read(file.metadata())
        for layer in neurons["layer"][outputs].unique():
            norm = architecture.output_norm(layer)
            if norm is None:
                continue
            gain = file.get_tensor(f"{norm}.gain")
            has_bias = f"{norm}.bias" in file.offset_keys()
            bias = file.get_tensor(f"{norm}.bias") if has_bias else np.zeros_like(gain)
            here = outputs & (neurons["layer"] == layer).to_numpy()
            values[here] = expected(gain, bias)[neurons["index"][here]]
    return values


def in_order(facts: pd.DataFrame, first: str) -> pd.DataFrame:
    """The same table with the columns named in `first` (split at spaces) before all others."""
    first = first.split()
    return facts[first + [column for column in facts if column not in first]]
