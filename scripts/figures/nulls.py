"""Excess of every headline number over each of its nulls.

Bars are intervals. A filled marker means that the number differs from the null by the rule of the
claims table.
"""

from study.job import run
from textualization.report.alt_text import alt_text, number
from textualization.report.csv_tables import read_csv
from textualization.report.plotting import (
    TWO_COLUMNS,
    FigureFiles,
    figure,
    label,
    marked,
    null_styles,
    shared_legend,
)


def main(claims, model, files: FigureFiles) -> None:
    claims = read_csv(claims)
    found = claims[(claims["model"] == model) & claims["null_model"].notna()]
    panels = [
        ("single.", "single neurons: excess\nof a cosine or a share"),
        ("group.recovery.", "groups: excess of recovery\n(share of words)"),
    ]
    rows = max(found.loc[found["claim"].str.startswith(p), "claim"].nunique() for p, _ in panels)
    styles = null_styles(found["null_model"].dropna())
    shown = list(styles)
    alt = " ".join(
        alt_text(
            title.replace("\n", " "), _facts(found[found["claim"].str.startswith(p)], p, shown)
        )
        for p, title in panels
    )
    with figure(files, TWO_COLUMNS, 1.2 + 0.36 * max(rows, 3), columns=2, alt=alt) as axes:
        for axis, (prefix, title) in zip(axes, panels, strict=True):
            _panel(axis, found[found["claim"].str.startswith(prefix)], prefix, styles)
            axis.set_xlabel(title)
        for null in shown:
            axes[0].plot([], [], ls="none", mfc="white", label=label(null), **marked(styles[null]))
        axes[0].plot([], [], "o", color="0.4", label="filled: different from the null")
        shared_legend(axes)


def _panel(axis, found, prefix, styles) -> None:
    names = list(found["claim"].unique())[::-1]
    for place, name in enumerate(names):
        of_claim = found[found["claim"] == name].set_index("null_model")
        own = [null for null in styles if null in of_claim.index]
        for order, null in enumerate(own):
            row, style = of_claim.loc[null], styles[null]
            y = place + 0.35 - 0.7 * (order + 0.5) / len(own)
            apart = row["verdict"] in ("above null", "below null")
            filled = style["color"] if apart else "white"
            axis.plot([row["excess_low"], row["excess_high"]], [y, y], color=style["color"], lw=0.9)
            axis.plot(
                row["excess"],
                y,
                marker=style["marker"],
                color=style["color"],
                mfc=filled,
                ls="none",
                ms=3.5,
            )
        axis.axhline(place + 0.5, color="0.92", lw=0.5, zorder=0)
    axis.axvline(0, color="0.6", lw=0.7, zorder=0)
    shown_names = [_name(name, prefix) for name in names]
    axis.set_yticks(range(len(names)), labels=shown_names)
    axis.set_ylim(-0.6, len(names) - 0.4)


def _name(claim, prefix) -> str:
    return label(claim.removeprefix(prefix).replace(".", " "))


def _facts(found, prefix, shown) -> list[str]:
    """Return, per claim, its excess over each of its nulls with interval and verdict."""
    facts = []
    for claim, rows in found.groupby("claim", sort=False):
        rows = rows.set_index("null_model")
        excesses = []
        for null in (null for null in shown if null in rows.index):
            row = rows.loc[null]
            bounds = f"{number(row['excess_low'])} to {number(row['excess_high'])}"
            text = f"{number(row['excess'])} over {label(null)} ({bounds}; {row['verdict']})"
            excesses.append(text)
        facts.append(f"{_name(claim, prefix)}: {', '.join(excesses)}")
    return facts


if "snakemake" in globals():
    run(main, snakemake)
