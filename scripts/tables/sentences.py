"""What words, sentences and short texts reach of the optimum's activation.

Shares are medians over neurons, groups or directions, with bootstrap intervals: of the best of all
words, the best token of the corpus in its sentence, and the texts of so many tokens that were found.
`above_best_word` is the share of objectives that the best sentence activates more than the best word.
"""

import numpy as np
import pandas as pd

from study.job import run
from study.objective_names import names_of
from textualization.analysis.estimates import Intervals, clustered
from textualization.analysis.similarity import utilisation
from textualization.report.tables import TableFiles, write_for_people

#: What the objectives of a kind are told apart by, and how a part is named.
PARTS = {
    "singles": (["site", "layer"], "{0}, layer {1}"),
    "groups": (["selection", "scope", "size"], "{0}, {1}, {2} neurons"),
    "directions": (["set", "layer"], "{0}, layer {1}"),
}


def main(
    intervals: Intervals, files: TableFiles, singles=None, groups=None, directions=None,
    summary=None, texts=None,
) -> None:  # fmt: skip
    reached = _reached(summary, texts)
    paths, rows = {"singles": singles, "groups": groups, "directions": directions}, []
    for kind, path in paths.items():
        if path is None:
            continue
        table = pd.read_parquet(path)
        names = names_of(kind, table)
        of = pd.DataFrame({"best_word": table["best_word_activation"]})
        of = of.join(reached.loc[kind].reindex(names).set_index(table.index))
        shares = of.apply(lambda column, table=table: utilisation(column, table["activation"]))
        if summary:
            shares["above_best_word"] = (of["best_sentence"] > of["best_word"]).astype(float)
        keys, said = PARTS[kind]
        # Restarts count once, with their mean.
        means = shares.groupby([*(table[key] for key in keys), names]).mean()
        for part, chosen in means.groupby(level=keys):
            row = {"kind": kind, "of": said.format(*part), "objectives": len(chosen)}
            rows.append(row | _estimates(chosen, np.arange(len(chosen)), intervals))
        if kind == "singles":
            # The bootstrap resamples layers here.
            for site, chosen in means.groupby(level="site"):
                row = {"kind": kind, "of": f"{site}, all layers", "objectives": len(chosen)}
                layers = chosen.index.get_level_values("layer")
                rows.append(row | _estimates(chosen, layers, intervals))
    write_for_people(pd.DataFrame(rows), files)


def _reached(summary, texts) -> pd.DataFrame:
    """Return the activations by sentences and texts, by kind and objective."""
    found = []
    if summary:
        of = pd.read_parquet(summary).set_index(["kind", "objective"])
        found.append(of["activation"].rename("best_sentence"))
    if texts:
        of = pd.read_parquet(texts).pivot(
            index=["kind", "objective"], columns="length", values="activation"
        )
        found.append(of.add_prefix("text_"))
    return pd.concat(found, axis=1)


def _estimates(shares: pd.DataFrame, clusters, intervals: Intervals) -> dict[str, float]:
    row = {}
    for name in shares:
        if name == "above_best_word":
            row[name] = shares[name].mean()
            continue
        estimate = clustered(shares[name], clusters, np.median, intervals)
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), estimate, strict=True))
    return row


if "snakemake" in globals():
    run(main, snakemake)
