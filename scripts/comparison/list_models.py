"""The models of the study, and the target words in each model's vocabulary.

The table of models gives their shape, how a layer normalises, what a token attends to, how many
target words are one entry, and why models are missing. The table of words gives, for each model,
whether a word is one entry or the pieces that its tokenizer makes of it. Models are compared over
the words that are one entry in all of them.
"""

import csv

import pandas as pd
from safetensors import safe_open

from study.job import run
from textualization.models.architecture import Architecture
from textualization.report.tables import TableFiles, write_for_people


def main(
    requested, candidates, weights, found, shapes, studied, targets, models: TableFiles, words:
    TableFiles,
) -> None:  # fmt: skip
    of_words = {
        name: pd.read_parquet(path).set_index("word")
        for name, path in zip(studied, requested, strict=True)
    }
    used = pd.DataFrame({name: table["used"] for name, table in of_words.items()})
    matched = used.all(axis=1)
    reasons = _reasons(found)
    rows = []
    for name, shape in shapes.items():
        row = {"model": name, "family": shape["family"], "studied": name in studied}
        row |= {key: shape[key] for key in ("layers", "hidden", "intermediate", "words")}
        row["neurons_in_groups"] = shape["neurons"]
        row["group_sizes"] = " ".join(map(str, shape["sizes"]))
        if name in studied:
            place = studied.index(name)
            row |= _read(weights[place])
            row["candidate_words"] = int(pd.read_parquet(candidates[place])["candidate"].sum())
            row["targets"] = int(used[name].sum())
            row["targets_in_all_models"] = int(matched.sum())
        rows.append(row | {"missing": reasons.get(name, "")})
    # Whole numbers stay whole where some models have none.
    write_for_people(pd.DataFrame(rows).convert_dtypes(), models)
    found_words = pd.DataFrame({"word": targets})
    for name, table in of_words.items():
        found_words[name] = [_entry(word, table.loc[word], table) for word in targets]
    found_words["in_all_models"] = matched.loc[targets].to_numpy()
    write_for_people(found_words, words)


def _reasons(found) -> dict[str, str]:
    """Return why models are missing, by name."""
    if not found:
        return {}
    with open(found[0], encoding="utf-8", newline="") as stream:
        return {row["model"]: row["reason"] for row in csv.DictReader(stream)}


def _read(weights) -> dict:
    """Describe how a model reads x, from the metadata of its converted weights."""
    with safe_open(weights, framework="np") as file:
        facts = Architecture.read(file.metadata())
    return {
        "norm": f"{facts.order}, {'RMSNorm' if facts.normalisation == 'rms' else 'LayerNorm'}",
        "attention": "causal" if facts.causal else "both ways",
        "tokens_around_x": (facts.before >= 0) + (facts.after >= 0 and not facts.causal),
    }


def _entry(word, row, table) -> str:
    """Tell whether a word is one entry of a model, and which if it is spelt differently; or why not."""
    if row["used"]:
        return "one entry" if word == row["read_as"] else f"one entry: {row['read_as']}"
    if row["id"] < 0:
        return row["pieces"]
    others = table.index[(table["id"] == row["id"]) & table["used"]]
    return f"the same entry as {others[0]}" if len(others) else "not a candidate"


if "snakemake" in globals():
    run(main, snakemake)
