"""Group sizes at which recovery crosses a rate, per selection and scope."""

import pandas as pd

from running import run
from textualization.presenting import write_csv, write_for_people
from textualization.thresholds import threshold, word_thresholds


def main(groups, levels, confidence, resamples, seed, csv, md, tex, html, by_word) -> None:
    groups = pd.read_parquet(groups)
    rows, of_words = [], []
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
            percent = round(100 * level)
            row = {"selection": selection, "scope": scope, "percent": percent}
            rows.append(row | {"words": len(recovered)} | found)
            neurons = word_thresholds(recovered.columns.to_numpy(), recovered.to_numpy(), level)
            names = {"selection": selection, "scope": scope, "percent": percent}
            of_words.append(pd.DataFrame({"word": recovered.index, **names, "neurons": neurons}))
    table = pd.DataFrame(rows).rename(columns={"value": "neurons"})
    write_for_people(table, csv, md, tex, html)
    write_csv(pd.concat(of_words), by_word)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        groups=snakemake.input.groups,
        **dict(snakemake.params.items()),
        **dict(snakemake.output.items()),
    )
