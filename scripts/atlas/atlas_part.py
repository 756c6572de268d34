"""Pack one model's part of the atlas: its neurons, optima, groups and nulls."""

from pathlib import Path

import numpy as np
import pandas as pd

from study.job import run
from study.results import nulls_of_groups, read_embeddings, read_nulls
from study.targets import described_targets
from textualization.files import atomic
from textualization.report.atlas import (
    columns,
    groups_of,
    neurons_of,
    nulls_by_layer,
    optima_of,
    packed,
    ranking_of,
)
from textualization.report.csv_tables import read_csv


def main(
    words, weights, summaries, rows, shown, part, singles=None, curves=None, embeddings=None, nulls=None,
    targets=None, groups=None, rankings=None, thresholds=None, group_nulls=None,
) -> None:  # fmt: skip
    """Write the part. Inputs from parts of the study that were not run are None."""
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
        about = described_targets(pd.read_parquet(targets), rows)
        largest = facts["size"][facts["scope"] == "model"].max()
        document |= {"targets": columns(about), "groups": columns(facts)}
        document["rankings"] = {
            Path(path).stem.split("-")[0]: ranking_of(
                pd.read_parquet(path), about["word"], neurons, largest
            )
            for path in rankings
        }
        document["thresholds"] = columns(read_csv(thresholds))
        document["recovery"] = columns(nulls_of_groups(group_nulls, "recovery"))
    with atomic(part) as partial:
        partial.write_bytes(packed(document))


if "snakemake" in globals():
    run(main, snakemake)
