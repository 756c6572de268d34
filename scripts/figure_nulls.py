"""A forest plot: how far every headline number lies above or below each of its nulls."""

import pandas as pd

from running import run
from textualization.plotting import NULLS, TWO_COLUMNS, figure, label, shared_legend


def main(claims, model, pdf, png) -> None:
    claims = pd.read_csv(claims)
    found = claims[(claims["model"] == model) & claims["null_model"].notna()]
    panels = [
        ("single.", "single neurons: excess\nof a cosine or a share"),
        ("group.recovery.", "groups: excess of recovery\n(share of words)"),
    ]
    rows = max(found.loc[found["claim"].str.startswith(p), "claim"].nunique() for p, _ in panels)
    shown = [null for null in NULLS if null in set(found["null_model"])]
    with figure(pdf, png, TWO_COLUMNS, 1.2 + 0.36 * max(rows, 3), columns=2) as axes:
        for axis, (prefix, title) in zip(axes, panels, strict=True):
            _panel(axis, found[found["claim"].str.startswith(prefix)], prefix, shown)
            axis.set_xlabel(title)
        for null in shown:
            style = {key: NULLS[null][key] for key in ("marker", "color")}
            axes[0].plot([], [], ls="none", mfc="white", label=label(null), **style)
        axes[0].plot([], [], "o", color="0.4", label="filled: different from the null")
        shared_legend(axes)


def _panel(axis, found, prefix, shown) -> None:
    names = list(found["claim"].unique())[::-1]
    for place, name in enumerate(names):
        of_claim = found[found["claim"] == name].set_index("null_model")
        own = [null for null in shown if null in of_claim.index]
        for order, null in enumerate(own):
            row, style = of_claim.loc[null], NULLS[null]
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
    shown_names = [label(name.removeprefix(prefix).replace(".", " ")) for name in names]
    axis.set_yticks(range(len(names)), labels=shown_names)
    axis.set_ylim(-0.6, len(names) - 0.4)


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        claims=snakemake.input.claims,
        model=snakemake.wildcards.model,
        pdf=snakemake.output.pdf,
        png=snakemake.output.png,
    )
