"""How much of an optimum, and of what LayerNorm allows at all, words reach: by layer, beside nulls."""

import pandas as pd

from running import run
from textualization.plotting import (
    NULL,
    NULLS,
    PAPER,
    TWO_COLUMNS,
    figure,
    label,
    shared_legend,
    with_bars,
)

STYLES = {"model": {"color": "black", "marker": "o", "linestyle": "-"}} | NULLS
PANELS = {
    "mean_word_of_optimum": "words on average\n(% of the optimum)",
    "mean_word_of_ceiling": "words on average\n(% of the exact ceiling)",
    "optimum_of_ceiling": "optimum\n(% of the exact ceiling)",
}


def main(utilisation, paper, site, pdf, png) -> None:
    table = pd.read_csv(utilisation)
    table = table[table["site"] == site]
    shown = list(table["of"].unique())
    with figure(pdf, png, TWO_COLUMNS, 2.4, columns=3) as axes:
        for axis, (name, title) in zip(axes, PANELS.items(), strict=True):
            for place, of in enumerate(shown):
                rows = table[table["of"] == of]
                values = 100 * rows[[name, f"{name}_low", f"{name}_high"]]
                values = values.set_axis(["value", "low", "high"], axis=1)
                # Side by side, so that no bar hides another.
                values["size"] = rows["layer"] + 0.12 * (place - (len(shown) - 1) / 2)
                with_bars(axis, values, label=label(of), **STYLES[of])
            axis.set(xlabel="layer", ylabel=title, ylim=(0, None))
            axis.set_xticks(sorted(table["layer"].unique()))
        axes[0].axhline(100 * paper["single"]["utilisation"], **PAPER, label="paper (BERT-base)")
        model = table[table["of"] == "model"]
        geometry = 100 * model["geometry_of_ceiling"]
        axes[1].plot(model["layer"], geometry, **NULL, label="LayerNorm's geometry")
        shared_legend(axes)


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        utilisation=snakemake.input.utilisation,
        paper=snakemake.params.paper,
        site=snakemake.params.site,
        pdf=snakemake.output.pdf,
        png=snakemake.output.png,
    )
