"""Group sizes at which recovery crosses a rate, per selection and scope."""

import pandas as pd

from running import run
from textualization.estimates import threshold
from textualization.presenting import write_for_people


def main(groups, levels, confidence, resamples, seed, csv, md, tex) -> None:
    groups = pd.read_parquet(groups)
    rows = []
    for (selection, scope), group in groups.groupby(["selection", "scope"]):
        recovered = group.pivot_table(index="word", columns="size", values="recovered")
        for level in levels:
            found = threshold(
                recovered.columns.to_numpy(),
                recovered.to_numpy(),
                level,
                confidence,
                resamples,
                seed,
            )
            row = {"selection": selection, "scope": scope, "percent": round(100 * level)}
            rows.append(row | {"words": len(recovered)} | found)
    table = pd.DataFrame(rows).rename(columns={"value": "neurons"})
    write_for_people(table, csv, md, tex)


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        groups=snakemake.input.groups,
        **dict(snakemake.params.items()),
        **dict(snakemake.output.items()),
    )
