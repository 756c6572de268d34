"""One style for every figure: colours that survive grey and colour blindness, sizes of a paper."""

from contextlib import contextmanager

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from textualization.files import atomic, write_text

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

#: The model itself beside its nulls; a result at places where it was not read.
MODEL = {"color": "#000000", "marker": "o", "linestyle": "-"}
ELSEWHERE = {"color": "0.45", "marker": "D", "linestyle": "-.", "mfc": "white"}
#: Every null that is drawn beside a model: colour, marker, line.
NULLS = {
    "permuted": {"color": "#D55E00", "marker": "s", "linestyle": "--"},
    "untrained": {"color": "#0072B2", "marker": "^", "linestyle": ":"},
    "permuted_keep_embeddings": {"color": "#E69F00", "marker": "D", "linestyle": "-."},
    "rotated_basis": {"color": "#009E73", "marker": "v", "linestyle": (0, (4, 1))},
    "other_word": {"color": "0.45", "marker": "X", "linestyle": (0, (1, 1))},
    "random_group": {"color": "#CC79A7", "marker": "P", "linestyle": (0, (3, 1, 1, 1))},
    "matched_activation": {"color": "#56B4E9", "marker": "*", "linestyle": (0, (5, 1))},
    "start": {"color": "0.3", "marker": "d", "linestyle": ":"},
    "random_word": {"color": "0.45", "marker": "<", "linestyle": ":"},
    "random_direction": {"color": "0.6", "marker": ">", "linestyle": ":"},
    "embedding_covariance": {"color": "0.6", "marker": "p", "linestyle": ":"},
    "layernorm_geometry": {"color": "0.3", "marker": "h", "linestyle": ":"},
    "chance": {"color": "0.6", "marker": "8", "linestyle": ":"},
}

#: Models side by side, in the study's order: told apart in grey by marker and line. Conditions too.
COLOURS = ("#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_LINES = ("-", "--", ":", "-.", (0, (4, 1)), (0, (1, 1)), (0, (3, 1, 1, 1)))
MODELS = [
    {
        "color": COLOURS[place % 7],
        "marker": "os^Dv<>PX*hd"[place],
        "linestyle": _LINES[(place + place // 7) % 7],
    }
    for place in range(12)
]

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
    # The page is as wide as asked for, whatever a user's own style says.
    "savefig.bbox": None,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 300,
}


def label(name: str) -> str:
    """A name as a figure shows it."""
    name = name.replace("_", " ").replace("z score", "z-score")
    return name.replace("layernorm", "LayerNorm")


@contextmanager
def figure(
    pdf: str, png: str, txt: str, width: float, height: float, columns: int = 1, *, alt: str
):
    """Yield the axes (one, or an array if `columns` are more) of a figure; write PDF, PNG and alt text.

    width, height: inches, of the files too. alt: what the figure shows, in numbers, for those who do
    not see it; it goes to `txt`, and into both files. A figure without it is a ValueError.
    """
    if not alt.strip():
        raise ValueError(f"{png}: a figure needs an alt text")
    with plt.rc_context(_STYLE):
        drawn, axes = plt.subplots(1, columns, figsize=(width, height), squeeze=False)
        yield axes[0] if columns != 1 else axes[0, 0]
        # No dates: the same numbers give the same file.
        metadata = {pdf: {"CreationDate": None, "Subject": alt}, png: {"Description": alt}}
        for path, facts in metadata.items():
            with atomic(path) as partial:
                drawn.savefig(partial, format=path.rsplit(".", 1)[1], metadata=facts)
        plt.close(drawn)
    write_text(alt + "\n", txt)


def marked(style: dict) -> dict:
    """A style for points without a line: colour and marker only."""
    return {"color": style["color"], "marker": style["marker"]}


def legend_above(axis, columns: int, **options) -> None:
    """The legend over the axes, where no data can be."""
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0)}
    axis.legend(ncols=columns, columnspacing=1.2, **place, **options)


def shared_legend(axes, columns: int = 4) -> None:
    """One legend over all axes, each name once."""
    handles = {}
    for axis in axes:
        handles |= dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    drawn = axes[0].figure
    drawn.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=columns)


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


def with_bars(axis, table, **style) -> None:
    """A thin line with its intervals as bars. table: size (x), value, low, high; may be empty."""
    if not len(table):
        return
    table = table.sort_values("size")
    bars = [(table["value"] - table["low"]).clip(0), (table["high"] - table["value"]).clip(0)]
    x, y, style = table["size"], table["value"], {"lw": 0.9, "ms": 3} | style
    axis.errorbar(x, y, yerr=bars, elinewidth=0.5, capsize=1.5, **style)
