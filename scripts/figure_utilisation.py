"""How much of an optimum, and of what LayerNorm allows at all, words reach: by layer, beside nulls."""

import pandas as pd

from running import run
from textualization.describing import course, number, told
from textualization.plotting import (
    MODEL,
    NULL,
    NULLS,
    PAPER,
    TWO_COLUMNS,
    figure,
    label,
    shared_legend,
    with_bars,
)

STYLES = {"model": MODEL} | NULLS
PANELS = {
    "mean_word_of_optimum": "words on average\n(% of the optimum)",
    "mean_word_of_ceiling": "words on average\n(% of the exact ceiling)",
    "optimum_of_ceiling": "optimum\n(% of the exact ceiling)",
}


def main(utilisation, paper, site, pdf, png, txt) -> None:
    table = pd.read_csv(utilisation)
    table = table[table["site"] == site]
    shown = list(table["of"].unique())
    alt = _told(table, shown, paper["single"])
    with figure(pdf, png, txt, TWO_COLUMNS, 2.4, columns=3, alt=alt) as axes:
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


def _told(table, shown, paper) -> str:
    parts = []
    for name, title in PANELS.items():
        facts = []
        for of in shown:
            rows = table[table["of"] == of]
            facts.append(course(label(of), rows["layer"], 100 * rows[name], " %"))
        parts.append(told(f"By layer, {title.replace(chr(10), ' ')}, median", facts))
    parts.append(f"The paper reports {number(100 * paper['utilisation'], ' %')} of the optimum.")
    model = table[table["of"] == "model"]
    geometry = course("it", model["layer"], 100 * model["geometry_of_ceiling"], " %")
    parts.append(f"What LayerNorm's geometry alone lets words reach of the ceiling: {geometry}.")
    return " ".join(parts)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        utilisation=snakemake.input.utilisation,
        paper=snakemake.params.paper,
        site=snakemake.params.site,
        **dict(snakemake.output.items()),
    )
