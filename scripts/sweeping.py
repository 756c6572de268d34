"""The optima of an experiment, as the scripts that sum it up and draw it read them."""

from pathlib import Path

import pandas as pd

#: What makes two optima those of one objective, under whatever condition.
OBJECTIVE = ["null", "draw", "kind", "site", "layer", "index", "word", "item", "label", "size"]
OBJECTIVE += ["scope", "scope_layer", "selection", "activations", "reading"]
#: Kinds of objectives that are no contexts.
UNITS = ("single", "group")


def read_sweep(paths) -> pd.DataFrame:
    """All optima of an experiment, with `block` and `activation_share`.

    `activation_share`: of the highest activation that the objective reached under any condition; NaN
    where that is not positive, or where there was one condition only.
    """
    tables = [
        pd.read_parquet(path).assign(block=Path(path).stem.rpartition("-")[0]) for path in paths
    ]
    optima = pd.concat(tables, ignore_index=True)
    same = optima.groupby(OBJECTIVE)["activation"]
    highest = same.transform("max")
    known = (highest > 0) & (same.transform("size") > 1)
    optima["activation_share"] = (optima["activation"] / highest).where(known)
    return optima
