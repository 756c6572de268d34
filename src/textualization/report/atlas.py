"""The atlas: a study's neurons and words on one self-contained HTML page.

A model's part of the atlas has these tables, each a dict of lists by column:

neurons     every neuron of the studied sites, and its activations over words
optima      the first start's optimum of every ascended neuron; `neuron` is a row of `neurons`
scatter     some words' cosines to every optimum, in the order of `optima`, and activations by them
targets     the target words; `thresholds`: their thresholds
groups      the groups' optima, one row per target, selection, scope, layer and size
rankings    per selection and target: the neurons (rows of `neurons`) of the largest group, in order
directions  the first start's optimum of every direction, and the direction over words;
            `direction_nulls`: results of null models by set and layer; `direction_steps`
nulls       results of null models by layer; `recovery`: the recovery of their groups
words       the vocabulary, for the search
sentences, texts, corpus    see `textualization.report.atlas_sentences`
"""

import base64
import gzip
import html
import json
import re

import numpy as np
import pandas as pd

from textualization.analysis.similarity import several_nearest_words, unit
from textualization.draws import generator

NEURON = ["site", "layer", "index"]
DIRECTION = ["set", "site", "layer", "name"]
GROUP = ["word", "selection", "scope", "scope_layer", "size"]
#: Columns of optima that the atlas shows, as in the study's tables.
OF_OPTIMA = ["activation", "ceiling", "start_activation", "start_nearest_cosine", "converged"]
OF_OPTIMA += ["collapsed", "taken", "largest_entries", "mean_word_activation"]
OF_OPTIMA += ["utilisation_best_word", "utilisation_mean_word", "utilisation_nearest_word"]
OF_OPTIMA += ["explanation", "start_explanation", "precision_100", "precision_1000"]
OF_GROUPS = ["activation", "ceiling", "recovered", "target_rank", "target_cosine", "margin"]
OF_GROUPS += ["nearest_cosine", "nearest_words", "word_activation", "best_word", "converged"]
OF_GROUPS += ["collapsed", "explanation"]
#: A scatter has at most so many drawn words, and all scatters of a model have at most so many points:
#: a point takes about 5 bytes of the page, which adds up to 1.4 MB. So all 400 words are kept for up to
#: 625 neurons, 108 for 2,304 neurons and 27 for 9,216.
SCATTER_WORDS, SCATTER_POINTS = 400, 250_000


def neurons_of(summaries: pd.DataFrame, words) -> pd.DataFrame:
    """List every neuron with its activations over words, by site, layer and index.

    Args:
        summaries: the table that `neuron_summaries` writes.
        words: (V,), the vocabulary as shown to readers.

    Returns:
        `site`, `layer`, `index`, `max`, `mean`, `std`, `top_words` (lists of words), `top_activations`.
    """
    words = np.asarray(words, dtype=object)
    neurons = summaries.sort_values(NEURON, ignore_index=True)
    top = [list(words[np.asarray(ids, dtype=int)]) for ids in neurons["top_words"]]
    return neurons[[*NEURON, "max", "mean", "std"]].assign(
        top_words=top, top_activations=list(neurons["top_activations"])
    )


def optima_of(singles, curves, found, neurons, words, embeddings, candidates, shown: int):
    """List the optimum of every ascended neuron's first start, with its nearest words and its curve.

    Args:
        singles: the table that `describe_singles` writes, a row per start.
        curves: `row` of singles, `step`, `activation`.
        found: the optima, (n, H).
        neurons: see `neurons_of`.
        words, embeddings, candidates: (V,); E, (V, H); (V,), bool.
        shown: number of nearest words.

    Returns:
        The table: OF_OPTIMA, `neuron`, `nearest_words`, `nearest_cosines`, `curve`, `starts` (the
        activations of all starts); and the steps of the curves.
    """
    table, steps = _first_starts(
        singles, OF_OPTIMA, NEURON, curves, found, words, embeddings, candidates, shown
    )
    table.insert(len(OF_OPTIMA), "neuron", _rows(neurons, singles[singles["restart"] == 0]))
    return table, steps


def directions_of(directions, curves, found, words, embeddings, candidates, shown: int):
    """List the optimum of every direction's first start, as `optima_of` does for neurons.

    Args:
        directions: the table that `describe_directions` writes, a row per start.
        curves, found, words, embeddings, candidates, shown: see `optima_of`.

    Returns:
        The table: DIRECTION, OF_OPTIMA, `max`, `mean`, `std`, `top_words` (lists of words) and
        `top_activations` over words, and the last four columns of `optima_of`; and the steps.
    """
    directions = directions.assign(
        max=directions["best_word_activation"], top_words=directions["top_words"].str.split(" ")
    )
    kept = [*DIRECTION, *OF_OPTIMA, "max", "mean", "std", "top_words", "top_activations"]
    return _first_starts(
        directions, kept, DIRECTION, curves, found, words, embeddings, candidates, shown
    )


def _first_starts(table, kept, keys, curves, found, words, embeddings, candidates, shown):
    """Return the first starts' rows of a table, with nearest words, curves and all starts; the steps."""
    first = table[table["restart"] == 0]
    ids, cosines = several_nearest_words(found[first.index], embeddings, candidates, shown)
    words = np.asarray(words, dtype=object)
    by_row = curves.pivot(index="row", columns="step", values="activation")
    starts = table.groupby(keys)["activation"].agg(list)
    return first[kept].reset_index(drop=True).assign(
        nearest_words=[list(words[row]) for row in ids],
        nearest_cosines=list(cosines),
        curve=list(by_row.loc[first.index].to_numpy()),
        starts=list(starts.loc[pd.MultiIndex.from_frame(first[keys])]),
    ), [int(step) for step in by_row.columns]


def scatter_words(candidates, optima: int, seed: int) -> np.ndarray:
    """Draw the words that the scatters of all neurons of a model share.

    Args:
        candidates: (V,), bool.
        optima: number of scatters; many scatters have fewer words, see SCATTER_POINTS.
        seed: seed of the study.

    Returns:
        Ids of candidates, ascending.
    """
    count = min(SCATTER_WORDS, SCATTER_POINTS // max(optima, 1))
    drawn = generator(seed, "atlas words").permutation(np.flatnonzero(candidates))
    return np.sort(drawn[:count])


def scatter_of(found, drawn, activations, top, words, embeddings) -> dict:
    """List the coordinates of words in every neuron's scatter, with three significant digits.

    Args:
        found: the optima, (n, H), in the order of `optima_of`.
        drawn: ids of the words that all scatters share, (W,).
        activations: of every neuron by these words, (n, W).
        top: ids of the words that activate each neuron most, n lists.
        words, embeddings: (V,); E, (V, H).

    Returns:
        `words`: the drawn words. Per optimum, `cosines` and `activations` of these words, and
        `top_cosines`, of the neuron's `top_words`.
    """
    optima = unit(found).astype(np.float64)
    return {
        "words": plain(np.asarray(words, dtype=object)[drawn]),
        "cosines": plain(optima @ unit(embeddings[drawn]).T, 3),
        "activations": plain(activations, 3),
        "top_cosines": [
            plain(unit(embeddings[ids]) @ e, 3) for ids, e in zip(top, optima, strict=True)
        ],
    }


def groups_of(groups: pd.DataFrame) -> pd.DataFrame:
    """List the first start's optimum of every group, with its number of starts and their recovery.

    Args:
        groups: the table that `describe_groups` writes, a row per start.

    Returns:
        GROUP, OF_GROUPS, `starts`, `recovery`.
    """
    over_starts = groups.groupby(GROUP)["recovered"].agg(starts="size", recovery="mean")
    first = groups.loc[groups["restart"] == 0, GROUP + OF_GROUPS]
    return first.join(over_starts, on=GROUP).reset_index(drop=True)


def ranking_of(ranking: pd.DataFrame, targets, neurons, largest: int) -> list[list[int]]:
    """List the neurons of every target's largest group, as rows of `neurons`, in order.

    Args:
        ranking: the table that `rank_neurons` writes for scope `model`.
        targets: the target words.
        neurons: see `neurons_of`.
        largest: the largest group size.
    """
    first = ranking[ranking["rank"] <= largest].sort_values("rank")
    rows = pd.Series(_rows(neurons, first), index=first["word"].astype(str))
    by_word = rows.groupby(level=0, sort=False).agg(list)
    return [by_word[word] for word in targets]


def nulls_by_layer(nulls: pd.DataFrame, part: str = "site") -> pd.DataFrame:
    """Summarise the neurons of null models by layer: medians over neurons, starts and replicates.

    Args:
        nulls: the table that `null_model_singles` writes, or `null_model_directions`.
        part: what a layer's neurons are told apart by: `site`, or `set` for directions.

    Returns:
        `null`, the part, `layer`, `neurons`, `nearest_cosine`, `share_of_ceiling`,
        `utilisation_best_word`, `explanation`; `utilisation_drawn_sentence` if the table has it.
    """
    nulls = nulls.assign(share_of_ceiling=nulls["activation"] / nulls["ceiling"])
    by_layer = nulls.groupby(["null", part, "layer"], sort=False)
    measured = ["nearest_cosine", "share_of_ceiling", "utilisation_best_word", "explanation"]
    measured += [name for name in ("utilisation_drawn_sentence",) if name in nulls]
    medians = by_layer[measured].median()
    return medians.assign(neurons=by_layer.size()).reset_index()


def columns(table: pd.DataFrame) -> dict[str, list]:
    """Convert a table to a dict of lists by column, see `plain`."""
    return {name: [plain(value) for value in table[name]] for name in table.columns}


def plain(value, digits: int = 4):
    """Convert a value or sequence for JSON: significant digits; None for missing or infinite."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(part, digits) for part in value]
    if isinstance(value, (bool, np.bool_)):
        return int(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.{digits}g}") if np.isfinite(value) else None
    return None if value is None or value is pd.NA else str(value)


def packed(document: dict) -> bytes:
    """Encode a document as gzipped JSON; equal documents give equal bytes."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return gzip.compress(text.encode("utf-8"), mtime=0)


def page(template: str, files: dict[str, str], about: dict, models: dict[str, bytes]) -> str:
    """Render the atlas as one HTML page.

    Args:
        template: a page with one link to a style sheet or script per line, and a line `<!-- data -->`.
        files: contents of the linked files by name; they replace the links.
        about: facts about the study.
        models: each model's part by its name, `packed`.

    Raises:
        KeyError: a linked file is not in `files`.
    """
    blocks = [_json_block("about", about)]
    for name, part in models.items():
        text = base64.b64encode(part).decode("ascii")
        name = html.escape(name, quote=True)
        blocks.append(f'<script type="application/gzip" data-model="{name}">{text}</script>')
    lines = [_inlined(line, files) for line in template.splitlines()]
    return "\n".join(lines).replace("<!-- data -->", "\n".join(blocks), 1) + "\n"


def _inlined(line: str, files: dict[str, str]) -> str:
    """Replace a link in a line of the template by the file's content."""
    if link := re.fullmatch(r'<link rel="stylesheet" href="(.*)">', line):
        return f"<style>\n{files[link[1]]}</style>"
    if link := re.fullmatch(r'<script src="(.*)"></script>', line):
        # In JavaScript, <\/script means the same, but does not end the script in HTML.
        return "<script>" + files[link[1]].replace("</script", "<\\/script") + "</script>"
    return line


def _json_block(name: str, value) -> str:
    text = json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>'


def _rows(neurons: pd.DataFrame, of: pd.DataFrame) -> list[int]:
    """Find the rows of `neurons` that hold the neurons of another table; raise ValueError if missing."""
    places = pd.MultiIndex.from_frame(neurons[NEURON].astype({"site": str}))
    wanted = pd.MultiIndex.from_frame(of[NEURON].astype({"site": str}))
    rows = places.get_indexer(wanted)
    if (rows < 0).any():
        raise ValueError(f"summaries: lack neuron {'/'.join(map(str, wanted[rows < 0][0]))}")
    return [int(row) for row in rows]
