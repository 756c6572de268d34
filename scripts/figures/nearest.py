"""Cosine to the nearest word, for the optima of single neurons and for their nulls.

The nulls are optima of null models, un-optimised starts, random words and random directions. Boxes
show quartiles and whiskers the 5th and 95th percentiles; the dashed line is the paper's mean.
"""

import pandas as pd

from study.job import run
from study.results import read_nulls
from textualization.report.alt_text import alt_text, number, spread
from textualization.report.plotting import ONE_COLUMN, PAPER, FigureFiles, figure, label


def main(singles, nulls, inputs, start, paper, site, files: FigureFiles) -> None:
    neurons = pd.read_parquet(singles)
    neurons = neurons[neurons["site"] == site]
    samples = {"model": neurons["nearest_cosine"]}
    for table in (read_nulls(nulls), pd.read_parquet(inputs)):
        samples |= {n: t["nearest_cosine"] for n, t in table[table["site"] == site].groupby("null")}
    if start:
        samples["start"] = neurons["start_nearest_cosine"]
    names = list(samples)[::-1]
    paper = paper["single"]["nearest_cosine"]
    facts = [spread(label(name), values) for name, values in samples.items()]
    facts.append(f"the paper's mean for BERT-base: {number(paper)}")
    alt = alt_text("Cosine to the nearest word, optima of single neurons and their nulls", facts)
    with figure(files, ONE_COLUMN, 0.9 + 0.24 * len(names), alt=alt) as axis:
        axis.boxplot(
            [samples[name] for name in names],
            orientation="horizontal",
            whis=(5, 95),
            sym="",
            widths=0.6,
            medianprops={"color": "black", "lw": 1.4},
            boxprops={"lw": 0.7},
            whiskerprops={"lw": 0.7},
            capprops={"lw": 0.7},
        )
        axis.set_yticks(range(1, len(names) + 1), labels=[label(name) for name in names])
        axis.axvline(paper, **PAPER)
        axis.text(
            paper, len(names) + 0.55, "paper (BERT-base)",
            fontsize=6, color="0.35", ha="center", va="bottom",
        )  # fmt: skip
        axis.set(xlabel="cosine to the nearest word", xlim=(0, None))


if "snakemake" in globals():
    run(main, snakemake)
