"""Common style of all figures: paper sizes, colours for greyscale print and colour blindness."""

from contextlib import contextmanager
from dataclasses import dataclass

from matplotlib import rc_context, rcParamsDefault
from matplotlib.figure import Figure

from textualization.files import atomic, write_text

#: Widths of one and two columns of an ACL paper, in inches.
ONE_COLUMN, TWO_COLUMNS = 3.03, 6.3

#: Colour (Okabe and Ito), marker and line of every selection.
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
#: Styles of references: the paper's number or band, and the un-optimised start.
PAPER = {"color": "0.45", "linestyle": (0, (6, 2)), "linewidth": 0.9}
PAPER_BAND = {"color": "0.9", "linewidth": 0, "zorder": 0}
NULL = {"color": "0.45", "linestyle": ":", "linewidth": 1.1}

#: Styles of the model in a figure with nulls, and of results at positions that were not read.
MODEL = {"color": "#000000", "marker": "o", "linestyle": "-"}
ELSEWHERE = {"color": "0.45", "marker": "D", "linestyle": "-.", "mfc": "white"}
#: Colour, marker and line of every null.
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

#: Styles of models, in the study's order, and of conditions; distinct in greyscale too.
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

#: Matplotlib settings of every figure.
STYLE = {
    "font.size": 8,
    # Matplotlib brings it; what it lacks is not taken from a user's own fonts.
    "font.sans-serif": ["DejaVu Sans"],
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


def house_style():
    """Return a context with matplotlib's defaults and STYLE; the user's settings return after it."""
    # The backend is no style, and setting it may load one that is not installed.
    defaults = {key: value for key, value in rcParamsDefault.items() if key != "backend"}
    return rc_context(defaults | STYLE)


def null_styles(names) -> dict[str, dict]:
    """Return the styles of some nulls, in the order of NULLS; others get a spare one."""
    names = list(dict.fromkeys(names))
    others = [name for name in names if name not in NULLS]
    found = {name: style for name, style in NULLS.items() if name in names}
    return found | {name: MODELS[-1 - place % 5] for place, name in enumerate(others)}


@dataclass(frozen=True)
class FigureFiles:
    """The files of one figure: vector graphics, pixels, alt text."""

    pdf: str
    png: str
    txt: str


def label(name: str) -> str:
    """Format a name for a figure."""
    name = name.replace("_", " ").replace("z score", "z-score")
    return name.replace("layernorm", "LayerNorm")


@contextmanager
def figure(files: FigureFiles, width: float, height: float, columns: int = 1, *, alt: str):
    """Yield the axes of a figure, then write PDF, PNG and alt text.

    Args:
        files: the figure's files.
        width, height: size in inches.
        columns: number of axes; an array is yielded if there are several.
        alt: the alt text, written to `files.txt` and into the metadata of the PDF and PNG.

    Raises:
        ValueError: the alt text is empty.
    """
    if not alt.strip():
        raise ValueError(f"{files.png}: a figure needs an alt text")
    # Without pyplot, which would load the user's backend.
    with house_style():
        drawn = Figure(figsize=(width, height))
        axes = drawn.subplots(1, columns, squeeze=False)
        yield axes[0] if columns != 1 else axes[0, 0]
        # No dates: the same numbers give the same file.
        metadata = {
            files.pdf: {"CreationDate": None, "Subject": alt},
            files.png: {"Description": alt},
        }
        for path, facts in metadata.items():
            with atomic(path) as partial:
                drawn.savefig(partial, format=path.rsplit(".", 1)[1], metadata=facts)
    write_text(alt + "\n", files.txt)


def marked(style: dict) -> dict:
    """Return the colour and marker of a style, for points without a line."""
    return {"color": style["color"], "marker": style["marker"]}


def legend_above(axis, columns: int, **options) -> None:
    """Draw the legend above the axes, where it hides no data; none if nothing is drawn."""
    if not axis.get_legend_handles_labels()[0]:
        return
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0)}
    axis.legend(ncols=columns, columnspacing=1.2, **place, **options)


def shared_legend(axes, columns: int = 4) -> None:
    """Draw one legend above all axes, with each name once; none if nothing is drawn."""
    handles = {}
    for axis in axes:
        handles |= dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    if handles:
        place = {"loc": "outside upper center", "ncols": columns}
        axes[0].figure.legend(handles.values(), handles.keys(), **place)


def size_axis(axis, sizes) -> None:
    """Set a log axis of group sizes, with a label for each."""
    axis.set_xscale("log")
    axis.set_xticks(list(sizes), labels=[f"{size:g}" for size in sizes], rotation=45)
    axis.set_xticks([], minor=True)
    axis.set_xlabel("group size (neurons)")


def with_interval(axis, table, x: str, y: str, low: str, high: str, **style) -> None:
    """Draw a line with its interval as a band, and as bars for greyscale print."""
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
    """Draw a thin line with bars for `size` (x), `value`, `low`, `high`; the table may be empty."""
    if not len(table):
        return
    table = table.sort_values("size")
    bars = [(table["value"] - table["low"]).clip(0), (table["high"] - table["value"]).clip(0)]
    x, y, style = table["size"], table["value"], {"lw": 0.9, "ms": 3} | style
    axis.errorbar(x, y, yerr=bars, elinewidth=0.5, capsize=1.5, **style)
