"""Text summaries of one neuron or one word, from a model's part of the atlas.

The arguments called `document` are such a part, see `textualization.report.atlas`.
"""

import unicodedata

import pandas as pd

from textualization.analysis.explanation import NEAR, TOP
from textualization.report.tables import readable

#: Number of a neuron's groups, and of a word's neurons, that are listed.
NAMED = 8
#: What a neuron's optimum is shown with: the words that activate it most.
OVER_WORDS = ("top_words", "top_activations")


def neuron_name(document: dict, row: int) -> str:
    """Return `site/layer/index` of a row of the document's neurons; of minima with a minus."""
    parts = (str(document["neurons"][part][row]) for part in ("site", "layer", "index"))
    return _minus(document) + "/".join(parts)


def direction_name(document: dict, name: str) -> str:
    """Return the name of a direction as it is shown: of minima with a minus."""
    return _minus(document) + name


def _minus(document: dict) -> str:
    return "-" if document.get("seek") == "minimum" else ""


def neuron_answer(document: dict, row: int, optimum: dict) -> list[str]:
    """Describe a neuron in lines of text.

    Args:
        document: a model's part of the atlas.
        row: the neuron's row in the document's neurons.
        optimum: the columns of its optimum, see `optima_of`.
    """
    site, layer = (document["neurons"][part][row] for part in ("site", "layer"))
    nulls = pd.DataFrame(document.get("nulls", {"site": [], "layer": []}))
    nulls = nulls[(nulls["site"] == site) & (nulls["layer"] == layer)]
    over_words = {name: document["neurons"][name][row] for name in OVER_WORDS}
    lines = _optimum_answer("neuron", optimum | over_words, nulls, "same layer")
    return [*lines, "", _groups_of(document, row)]


def direction_answer(document: dict, optimum: dict) -> list[str]:
    """Describe a direction in lines of text.

    Args:
        document: a model's part of the atlas.
        optimum: the columns of its optimum, see `directions_of`.
    """
    nulls = pd.DataFrame(document.get("direction_nulls", {"set": [], "layer": []}))
    nulls = nulls[(nulls["set"] == optimum["set"]) & (nulls["layer"] == optimum["layer"])]
    return _optimum_answer("direction", optimum, nulls, "same set and layer")


def _optimum_answer(what: str, o: dict, nulls: pd.DataFrame, alike: str) -> list[str]:
    """Describe the optimum of a neuron or a direction, beside null models.

    Args:
        what: `neuron` or `direction`.
        o: the columns of the optimum, and OVER_WORDS.
        nulls: null models' medians over what is alike, see `nulls_by_layer`.
        alike: how these are alike, in words.
    """
    spread = _spread(o["starts"])
    end = "collapsed" if o["collapsed"] else "converged" if o["converged"] else "not converged"
    ceiling = "none" if o["ceiling"] is None else f"{_n(o['ceiling'])}, optimum at {_share(o)}"
    lines = [
        f"activation       {_n(o['activation'])} ({spread}{_n(o['start_activation'])} at the start)",
        f"ceiling          {ceiling}",
        f"utilisation      best word {_p(o['utilisation_best_word'])}, nearest word "
        f"{_p(o['utilisation_nearest_word'])}, mean word {_p(o['utilisation_mean_word'])}",
        *_explained(o),
        f"ascent           {o['taken']:.0f} steps, {end}",
        f"nearest words    {_listed(o['nearest_words'], o['nearest_cosines'])}",
        f"activating words {_listed(o['top_words'], o['top_activations'])}",
        f"largest entries  {', '.join(map(printable, o['largest_entries'].split(' ')))}",
        "",
    ]
    own = {"of": f"this {what}", f"{what}s": 1}
    own["cosine to the nearest word"] = o["nearest_cosines"][0]
    start = own | {"of": "its start", "cosine to the nearest word": o["start_nearest_cosine"]}
    own |= {"share of the ceiling": _share(o), "best word": _p(o["utilisation_best_word"])}
    own["explanation"], start["explanation"] = o["explanation"], o["start_explanation"]
    rows = [own, start]
    rows += [
        {
            "of": f"{null.null}, {alike} (medians)",
            f"{what}s": null.neurons,
            "cosine to the nearest word": null.nearest_cosine,
            "share of the ceiling": _p(null.share_of_ceiling),
            "best word": _p(null.utilisation_best_word),
            "explanation": null.explanation,
        }
        for null in nulls.itertuples()
    ]
    return [*lines, *_table(rows)]


def minimum_answer(minimum: dict) -> list[str]:
    """Describe a neuron's minimum in lines of text.

    Args:
        minimum: `activation`, `starts`, `start_activation`, `floor`, `taken`, `converged`, `collapsed`,
            `nearest`, `least` and the columns of explanation, see `study.asked.minima.minimum_of`.
    """
    m = minimum
    spread = _spread(m["starts"])
    end = "collapsed" if m["collapsed"] else "converged" if m["converged"] else "not converged"
    floor = "none" if _missing(m["floor"]) else _n(m["floor"])
    if not _missing(m["floor"]) and m["floor"] < 0:
        floor += f", minimum at {_p(m['activation'] / m['floor'])}"
    word, lowest = m["least"][0]
    share = f", {_p(lowest / m['activation'])} of the minimum" if m["activation"] < 0 else ""
    return [
        f"minimum          {_n(m['activation'])} ({spread}{_n(m['start_activation'])} at the start)",
        f"floor            {floor}",
        f"utilisation      the word that activates it least, {printable(word)}, reaches {_n(lowest)}"
        + share,
        *_explained(m, "least"),
        f"ascent           {m['taken']:.0f} steps, {end}",
        f"nearest words    {_listed(*zip(*m['nearest'], strict=True))}",
        f"least activating {_listed(*zip(*m['least'], strict=True))}",
    ]


def _spread(starts) -> str:
    """Say how far the optima of several starts differ; nothing about one."""
    if len(starts) < 2:
        return ""
    return f"{_n(min(starts))} to {_n(max(starts))} over {len(starts)} starts; "


def _explained(optimum, how: str = "most") -> list[str]:
    """Say how well the optimum explains its neuron; nothing where that is not known."""
    if _missing(optimum["explanation"]):
        return []
    start = optimum["start_explanation"]
    said = f"{optimum['explanation']:z.2f}"
    said += "" if _missing(start) else f" (its start {start:z.2f})"
    shares = [(near, optimum[f"precision_{near}"]) for near in NEAR]
    # Of the most activating words. There is no share where the vocabulary has not that many words.
    found = [(round(TOP * share), near) for near, share in shares if not _missing(share)]
    if found:
        said += f"; of the {TOP} words that activate it {how}, "
        said += "{} are among the {:,} nearest".format(*found[0])
        said += "".join(f", {count} among the {near:,}" for count, near in found[1:])
    return [f"explanation      {said}"]


def _groups_of(document, row) -> str:
    found = [
        (ranking.index(row) + 1, word, selection)
        for selection, of_targets in document.get("rankings", {}).items()
        for word, ranking in zip(document["targets"]["word"], of_targets, strict=True)
        if row in ranking
    ]
    if not found:
        return "in groups of     none of the study's words, at the sizes studied"
    first = [
        f"{printable(word)} ({place}., {selection})" for place, word, selection in sorted(found)
    ]
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return f"in groups of     {', '.join(first[:NAMED])}{more}"


def word_answer(document: dict, word: str, groups: pd.DataFrame, rankings: dict) -> list[str]:
    """Describe a word in lines of text.

    Args:
        document: a model's part of the atlas.
        word: the word.
        groups: its groups, rows of `groups_of`.
        rankings: per selection, the neurons of its largest group (rows of the document's neurons).
    """
    rows = [
        {
            "selection": group.selection,
            "layers": "all" if group.scope == "model" else str(group.scope_layer),
            "neurons": group.size,
            "recovered": "yes" if group.recovered else "no",
            "starts": f"{_p(group.recovery)} of {group.starts}",
            "rank": group.target_rank,
            "cosine": group.target_cosine,
            "share of ceiling": _p(_ratio(group.activation, group.ceiling)),
            "explanation": group.explanation,
            "nearest words": ", ".join(map(printable, group.nearest_words.split(" "))),
        }
        for group in groups.sort_values(["selection", "scope", "scope_layer", "size"]).itertuples()
    ]
    lines = [*_table(rows), ""]
    thresholds = pd.DataFrame(document["thresholds"])
    own = thresholds[(thresholds["word"] == word) & (thresholds["scope"] == "model")]
    for selection, rows in own.groupby("selection"):
        sizes = [f"{_n(row.neurons)} at {row.percent} %" for row in rows.itertuples()]
        sizes = ", ".join(sizes)
        lines.append(f"threshold        {sizes} recovery (neurons, {selection}, logistic curve)")
    for selection, ranking in rankings.items():
        layers = pd.Series([document["neurons"]["layer"][row] for row in ranking])
        counts = layers.value_counts().sort_index()
        by_layer = ", ".join(f"{layer}: {count}" for layer, count in counts.items())
        lines.append(f"layers           {by_layer} (of {len(ranking)} neurons, {selection})")
        first = ", ".join(neuron_name(document, row) for row in ranking[:NAMED])
        lines.append(f"first neurons    {first}")
    recovery = pd.DataFrame(document["recovery"])
    if len(recovery):
        lines += ["", "Share of words recovered in nulls, by group size", *_nulls_table(recovery)]
    return lines


def _nulls_table(recovery: pd.DataFrame) -> list[str]:
    rows = [
        {"null": null, "selection": selection}
        | {str(size): _p(value) for size, value in zip(of["size"], of["value"], strict=True)}
        for (null, selection), of in recovery.sort_values("size").groupby(
            ["null_model", "selection"]
        )
    ]
    return _table(rows)


def printable(word: str) -> str:
    """Replace control and invisible characters of a word by their codes, for a terminal."""
    return "".join(
        c if unicodedata.category(c)[0] != "C" else f"\\u{ord(c):04x}" for c in str(word)
    )


def _table(rows: list[dict]) -> list[str]:
    shown = pd.DataFrame(rows).map(readable)
    return shown.to_string(index=False).splitlines()


def _listed(words, values) -> str:
    pairs = zip(words, values, strict=True)
    return ", ".join(f"{printable(word)} {_n(value)}" for word, value in pairs)


def _ratio(top, bottom):
    return top / bottom if bottom is not None and bottom == bottom and bottom else None


def _share(optimum) -> str:
    return _p(_ratio(optimum["activation"], optimum["ceiling"]))


def _missing(value) -> bool:
    return value is None or value != value


def _n(value) -> str:
    return "not known" if _missing(value) else f"{value:.3g}"


def _p(value) -> str:
    return "" if _missing(value) else f"{100 * value:.3g} %"
