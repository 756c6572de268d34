"""One style for every figure: colours that survive grey and colour blindness, sizes of a paper."""

from contextlib import contextmanager

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from textualization.files import atomic

#: Widths of one and two columns of an ACL paper, in inches.
ONE_COLUMN, TWO_COLUMNS = 3.03, 6.3

#: Colour (Okabe and Ito), marker and line of every selection, the same in every figure.
SELECTIONS = {
    "absolute": {"color": "#000000", "marker": "o", "linestyle": "-"},
    "ratio_to_max": {"color": "#D55E00", "marker": "s", "linestyle": "--"},
    "z_score": {"color": "#0072B2", "marker": "^", "linestyle": ":"},
}
KINDS = {
    "best_word": {"color": "#000000", "marker": "o"},
    "mean_word": {"color": "#D55E00", "marker": "s"},
    "nearest_word": {"color": "#0072B2", "marker": "^"},
}
#: What stands beside a result: the paper's number, and the un-optimised start.
PAPER = {"color": "0.45", "linestyle": (0, (6, 2)), "linewidth": 0.9}
PAPER_BAND = {"color": "0.9", "linewidth": 0, "zorder": 0}
NULL = {"color": "0.45", "linestyle": ":", "linewidth": 1.1}

_STYLE = {
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 6.5,
    "legend.handlelength": 2.4,
    "legend.borderaxespad": 0.2,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "pdf.fonttype": 42,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 300,
}


def label(name: str) -> str:
    """A name as a figure shows it."""
    return name.replace("_", " ").replace("z score", "z-score")


@contextmanager
def figure(pdf: str, png: str, width: float, height: float, columns: int = 1):
    """Yield the axes (one, or a list) of a figure in the common style; write PDF and PNG."""
    with plt.rc_context(_STYLE):
        drawn, axes = plt.subplots(1, columns, figsize=(width, height))
        yield axes
        for path in (pdf, png):
            with atomic(path) as partial:
                # No dates: the same numbers give the same file.
                metadata = {"CreationDate": None} if path == pdf else None
                drawn.savefig(partial, format=path.rsplit(".", 1)[1], metadata=metadata)
        plt.close(drawn)


def legend_above(axis, columns: int, **options) -> None:
    """The legend over the axes, where no data can be."""
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0)}
    axis.legend(ncols=columns, columnspacing=1.2, **place, **options)


def size_axis(axis, sizes) -> None:
    """Group sizes on a log axis, each one labelled."""
    axis.set_xscale("log")
    axis.set_xticks(list(sizes), labels=[f"{size:g}" for size in sizes], rotation=45)
    axis.set_xticks([], minor=True)
    axis.set_xlabel("group size (neurons)")


def with_interval(axis, table, x: str, y: str, low: str, high: str, **style) -> None:
    """A line with its interval as a band, and bars at the ends for readers in grey."""
    table = table.sort_values(x)
    axis.plot(table[x], table[y], **style)
    axis.fill_between(table[x], table[low], table[high], color=style["color"], alpha=0.15, lw=0)
    bars = [table[y] - table[low], table[high] - table[y]]
    axis.errorbar(
        table[x],
        table[y],
        yerr=[b.clip(lower=0) for b in bars],
        fmt="none",
        ecolor=style["color"],
        elinewidth=0.6,
        capsize=1.5,
    )
