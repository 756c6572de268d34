"""Activation and explanation along the ascent, by solver and rate.

For single neurons and groups: the activation reached after so many steps, as a share of the highest,
and explanation, the correlation over words of closeness to the input and activation by the word.
Points are means and bars intervals; grey lines are null models of the first block.
"""

import re

from study.job import run
from textualization.report.alt_text import alt_text, course
from textualization.report.csv_tables import read_csv
from textualization.report.plotting import (
    MODELS,
    TWO_COLUMNS,
    FigureFiles,
    figure,
    label,
    null_styles,
    shared_legend,
    with_bars,
)

PANELS = {"activation_share": "activation\n(share of the highest)", "explanation": "explanation"}


def main(numbers, blocks, files: FigureFiles) -> None:
    numbers = read_csv(numbers)
    numbers = numbers[numbers["statistic"].isin(PANELS)]
    steps = numbers["condition"].str.extract(r"\bsteps=(\d+)")[0]
    numbers = numbers.assign(steps=steps.astype(float)).dropna(subset="steps")
    own = numbers[numbers["null_model"].isna()]
    # Of groups, those of the first size.
    rows = own.drop_duplicates("of")[["of", "size"]].to_numpy().tolist()
    alt = " ".join(
        alt_text(f"{_name(of, size)}, {re.sub(chr(10), ' ', PANELS[statistic])} by steps", facts)
        for of, size in rows
        for statistic in PANELS
        if (facts := _courses(_chosen(own, of, size, statistic), blocks))
    )
    styles = dict(zip(blocks, MODELS, strict=False))
    with figure(files, TWO_COLUMNS, 2.5, columns=2 * len(rows), alt=alt) as axes:
        for line, (of, size) in zip(axes.reshape(len(rows), 2), rows, strict=True):
            for axis, (statistic, title) in zip(line, PANELS.items(), strict=True):
                chosen = _chosen(own, of, size, statistic)
                for block in blocks:
                    _line(axis, chosen[chosen["block"] == block], label(block), **styles[block])
                if statistic == "explanation":
                    _nulls(axis, _chosen(numbers, of, size, statistic), blocks[0])
                axis.set(xlabel="steps", ylabel=title, title=_name(of, size))
                axis.set(xscale="log", xlim=(0.8 * own["steps"].min(), 1.25 * own["steps"].max()))
            line[0].set_ylim(0, 1.05)
        shared_legend(axes)


def _chosen(numbers, of, size, statistic):
    return numbers[
        (numbers["of"] == of) & (numbers["size"] == size) & (numbers["statistic"] == statistic)
    ]


def _name(of, size) -> str:
    return "single neurons" if of == "single" else f"groups of {size:g}"


def _line(axis, rows, name, **style) -> None:
    values = rows[["steps", "value", "ci_low", "ci_high"]]
    with_bars(axis, values.set_axis(["size", "value", "low", "high"], axis=1), label=name, **style)


def _nulls(axis, rows, block) -> None:
    rows = rows[(rows["block"] == block) & rows["null_model"].notna()]
    for null, style in null_styles(rows["null_model"].unique()).items():
        of = rows[rows["null_model"] == null].sort_values("steps")
        axis.plot(
            of["steps"], of["null_value"], label=label(null), **style | {"color": "0.6", "ms": 3}
        )


def _courses(rows, blocks) -> list[str]:
    return [
        course(label(block), of["steps"], of["value"])
        for block in blocks
        if len(of := rows[rows["block"] == block].sort_values("steps"))
    ]


if "snakemake" in globals():
    run(main, snakemake)
