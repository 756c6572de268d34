"""A model's part of the atlas: what the study says of its neurons and of the words."""

from pathlib import Path

import numpy as np
import pandas as pd

from optima import nulls_of_groups, read_embeddings, read_nulls
from running import run
from textualization.atlas import (
    columns,
    groups_of,
    neurons_of,
    nulls_by_layer,
    optima_of,
    packed,
    ranking_of,
)
from textualization.files import atomic
from textualization.presenting import texts_of_csv


def main(
    words,
    weights,
    summaries,
    singles,
    curves,
    embeddings,
    nulls,
    targets,
    groups,
    rankings,
    thresholds,
    group_nulls,
    rows,
    shown,
    part,
) -> None:
    """singles and what follows to nulls, groups and what follows to group_nulls: empty if not asked."""
    vocabulary = pd.read_parquet(words)
    names = vocabulary["word"].to_numpy()
    neurons = neurons_of(pd.concat([pd.read_parquet(path) for path in summaries]), names)
    document = {"neurons": columns(neurons), "words": list(dict.fromkeys(names))}
    if singles:
        optima, steps = optima_of(
            pd.read_parquet(singles),
            pd.read_parquet(curves),
            np.load(embeddings, mmap_mode="r"),
            neurons,
            names,
            read_embeddings(weights),
            vocabulary["candidate"].to_numpy(),
            shown,
        )
        document |= {"optima": columns(optima), "steps": steps}
        if nulls:
            document["nulls"] = columns(nulls_by_layer(read_nulls(nulls)))
    if groups:
        facts = groups_of(pd.read_parquet(groups))
        asked = pd.read_parquet(targets)["word"]
        about = pd.DataFrame(rows).set_index("word").loc[asked].reset_index()
        largest = facts["size"][facts["scope"] == "model"].max()
        document |= {"targets": columns(about), "groups": columns(facts)}
        document["rankings"] = {
            Path(path).stem.split("-")[0]: ranking_of(
                pd.read_parquet(path), asked, neurons, largest
            )
            for path in rankings
        }
        # "null" and "nan" are words here.
        by_word = pd.read_csv(thresholds, keep_default_na=False, na_values={"neurons": [""]})
        by_word["word"] = texts_of_csv(by_word["word"])
        document["thresholds"] = columns(by_word)
        document["recovery"] = columns(nulls_of_groups(group_nulls, "recovery"))
    with atomic(part) as partial:
        partial.write_bytes(packed(document))


if "snakemake" in globals():
    run(
        main,
        snakemake,
        words=snakemake.input.words,
        weights=snakemake.input.weights,
        summaries=snakemake.input.summaries,
        singles=snakemake.input.get("singles"),
        curves=snakemake.input.get("curves"),
        embeddings=snakemake.input.get("embeddings"),
        nulls=snakemake.input.get("nulls"),
        targets=snakemake.input.get("targets"),
        groups=snakemake.input.get("groups"),
        rankings=snakemake.input.get("rankings"),
        thresholds=snakemake.input.get("thresholds"),
        group_nulls=snakemake.input.get("group_nulls"),
        rows=snakemake.params.rows,
        shown=snakemake.params.shown,
        part=snakemake.output[0],
    )
