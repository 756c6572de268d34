"""The study's models side by side: what they are, which are missing, which words each of them has."""

import csv as csv_file

import pandas as pd
from safetensors import safe_open

from running import run
from textualization.architecture import Architecture
from textualization.presenting import KINDS, write_for_people


def main(
    asked, candidates, weights, found, models, studied, targets, models_out, words_out
) -> None:
    """models: by name, what the catalogue and the settings say of each, see the rule."""
    of_words = {
        name: pd.read_parquet(path).set_index("word")
        for name, path in zip(studied, asked, strict=True)
    }
    used = pd.DataFrame({name: table["used"] for name, table in of_words.items()})
    matched = used.all(axis=1)
    reasons = _reasons(found)
    rows = []
    for name, said in models.items():
        row = {"model": name, "family": said["family"], "studied": name in studied}
        row |= {key: said[key] for key in ("layers", "hidden", "intermediate", "words")}
        row["neurons_in_groups"] = said["neurons"]
        row["group_sizes"] = " ".join(map(str, said["sizes"]))
        if name in studied:
            place = studied.index(name)
            row |= _read(weights[place])
            row["candidate_words"] = int(pd.read_parquet(candidates[place])["candidate"].sum())
            row["targets"] = int(used[name].sum())
            row["targets_in_all_models"] = int(matched.sum())
        rows.append(row | {"missing": reasons.get(name, "")})
    # Whole numbers stay whole where some models have none.
    write_for_people(pd.DataFrame(rows).convert_dtypes(), **models_out)
    words = pd.DataFrame({"word": targets})
    for name, table in of_words.items():
        words[name] = [_entry(table.loc[word]) for word in targets]
    words["in_all_models"] = matched.loc[targets].to_numpy()
    write_for_people(words, **words_out)


def _reasons(found) -> dict[str, str]:
    """Why models are missing, by name."""
    if not found:
        return {}
    with open(found[0], encoding="utf-8", newline="") as stream:
        return {row["model"]: row["reason"] for row in csv_file.DictReader(stream)}


def _read(weights) -> dict:
    """How a model reads x, from its frozen weights' facts."""
    with safe_open(weights, framework="np") as file:
        facts = Architecture.read(file.metadata())
    return {
        "norm": f"{facts.order}, {'RMSNorm' if facts.normalisation == 'rms' else 'LayerNorm'}",
        "attention": "causal" if facts.causal else "both ways",
        "tokens_around_x": (facts.before >= 0) + (facts.after >= 0 and not facts.causal),
    }


def _entry(row) -> str:
    """What a model has of a word: one entry, or the pieces that it is several of."""
    if row["used"]:
        return "one entry"
    return row["pieces"] if row["id"] < 0 else "not a candidate"


if "snakemake" in globals():
    run(
        main,
        snakemake,
        asked=snakemake.input.asked,
        candidates=snakemake.input.candidates,
        weights=snakemake.input.weights,
        found=list(snakemake.input.found),
        **dict(snakemake.params.items()),
        models_out={kind: snakemake.output[f"models_{kind}"] for kind in KINDS},
        words_out={kind: snakemake.output[f"words_{kind}"] for kind in KINDS},
    )
