"""Utilisation and shares of the exact ceiling by layer, for the model and its null models.

Left: the words' mean activation as a share of the optimum's. Middle: the same as a share of the
exact ceiling (dotted: the share that LayerNorm's geometry alone predicts). Right: the optimum's
activation as a share of the ceiling. Points are medians and bars intervals.
"""

from study.job import run
from textualization.report.alt_text import alt_text, course, number
from textualization.report.csv_tables import read_csv
from textualization.report.plotting import (
    MODEL,
    NULL,
    PAPER,
    TWO_COLUMNS,
    FigureFiles,
    figure,
    label,
    null_styles,
    shared_legend,
    with_bars,
)

PANELS = {
    "mean_word_of_optimum": "words on average\n(% of the optimum)",
    "mean_word_of_ceiling": "words on average\n(% of the exact ceiling)",
    "optimum_of_ceiling": "optimum\n(% of the exact ceiling)",
}


def main(utilisation, paper, site, files: FigureFiles) -> None:
    table = read_csv(utilisation)
    table = table[table["site"] == site]
    shown = list(table["of"].unique())
    alt = _alt_text(table, shown, paper["single"])
    styles = {"model": MODEL} | null_styles(of for of in shown if of != "model")
    with figure(files, TWO_COLUMNS, 2.4, columns=3, alt=alt) as axes:
        for axis, (name, title) in zip(axes, PANELS.items(), strict=True):
            for place, of in enumerate(shown):
                rows = table[table["of"] == of]
                values = 100 * rows[[name, f"{name}_low", f"{name}_high"]]
                values = values.set_axis(["value", "low", "high"], axis=1)
                # Shifted, so that no bar hides another.
                values["size"] = rows["layer"] + 0.12 * (place - (len(shown) - 1) / 2)
                with_bars(axis, values, label=label(of), **styles[of])
            axis.set(xlabel="layer", ylabel=title, ylim=(0, None))
            axis.set_xticks(sorted(table["layer"].unique()))
        axes[0].axhline(100 * paper["single"]["utilisation"], **PAPER, label="paper (BERT-base)")
        model = table[table["of"] == "model"]
        geometry = 100 * model["geometry_of_ceiling"]
        axes[1].plot(model["layer"], geometry, **NULL, label="LayerNorm's geometry")
        shared_legend(axes)


def _alt_text(table, shown, paper) -> str:
    parts = []
    for name, title in PANELS.items():
        facts = []
        for of in shown:
            rows = table[table["of"] == of]
            facts.append(course(label(of), rows["layer"], 100 * rows[name], " %"))
        parts.append(alt_text(f"By layer, {title.replace(chr(10), ' ')}, median", facts))
    parts.append(f"The paper reports {number(100 * paper['utilisation'], ' %')} of the optimum.")
    model = table[table["of"] == "model"]
    geometry = course("it", model["layer"], 100 * model["geometry_of_ceiling"], " %")
    parts.append(f"Share of the ceiling that LayerNorm's geometry alone predicts: {geometry}.")
    return " ".join(parts)


if "snakemake" in globals():
    run(main, snakemake)
