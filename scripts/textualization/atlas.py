"""The atlas: all that a study says of its neurons and words, as one page that needs nothing else.

What a model's part of it holds, as JSON-ready columns (a list per column, a row per place in it):

neurons     every neuron of the studied sites: what words do to it
optima      of those that were climbed: `neuron` (a row of neurons) and its first start's optimum
targets     the target words; `thresholds` by word
groups      their groups' optima, one row per target, selection, scope, layer and size
rankings    per selection, per target: the neurons (rows of neurons) of its largest group, first to last
nulls       what null models reached, by layer; `recovery`: of groups
words       the vocabulary, for finding words
"""

import base64
import gzip
import html
import json
import re

import numpy as np
import pandas as pd

from textualization.similarity import several_nearest_words

NEURON = ["site", "layer", "index"]
GROUP = ["word", "selection", "scope", "scope_layer", "size"]
#: What is shown of an optimum, as the study's tables have it.
OF_OPTIMA = ["activation", "ceiling", "start_activation", "start_nearest_cosine", "converged"]
OF_OPTIMA += ["collapsed", "taken", "largest_entries", "mean_word_activation"]
OF_OPTIMA += ["utilisation_best_word", "utilisation_mean_word", "utilisation_nearest_word"]
OF_GROUPS = ["activation", "ceiling", "recovered", "target_rank", "target_cosine", "margin"]
OF_GROUPS += ["nearest_cosine", "nearest_words", "word_activation", "best_word", "converged"]
OF_GROUPS += ["collapsed"]


def neurons_of(summaries: pd.DataFrame, words) -> pd.DataFrame:
    """Every neuron and what words do to it, by site, layer and index.

    summaries: as `neuron_summaries` writes them. words: (V,), entries as they are shown.
    Returns site, layer, index, max, mean, std, `top_words` (lists of words), `top_activations`.
    """
    words = np.asarray(words, dtype=object)
    neurons = summaries.sort_values(NEURON, ignore_index=True)
    top = [list(words[np.asarray(ids, dtype=int)]) for ids in neurons["top_words"]]
    return neurons[[*NEURON, "max", "mean", "std"]].assign(
        top_words=top, top_activations=list(neurons["top_activations"])
    )


def optima_of(singles, curves, found, neurons, words, embeddings, candidates, shown: int):
    """The optimum of every climbed neuron's first start, with its nearest words and its curve.

    singles: as `describe_singles` writes them, a row per start. curves: `row` of singles, `step`,
    `activation`. found: (n, H), the optima. neurons: see `neurons_of`. words: (V,). embeddings: E,
    (V, H). candidates: (V,), bool. shown: how many nearest words. Returns the table (OF_OPTIMA and
    `neuron`, `nearest_words`, `nearest_cosines`, `curve`, `starts`: the activation that every start
    reached) and the curves' steps.
    """
    first = singles[singles["restart"] == 0]
    ids, cosines = several_nearest_words(found[first.index], embeddings, candidates, shown)
    words = np.asarray(words, dtype=object)
    risen = curves.pivot(index="row", columns="step", values="activation")
    starts = singles.groupby(NEURON)["activation"].agg(list)
    keys = pd.MultiIndex.from_frame(first[NEURON])
    table = first[OF_OPTIMA].reset_index(drop=True)
    return table.assign(
        neuron=_rows(neurons, first),
        nearest_words=[list(words[row]) for row in ids],
        nearest_cosines=list(cosines),
        curve=list(risen.loc[first.index].to_numpy()),
        starts=list(starts.loc[keys]),
    ), [int(step) for step in risen.columns]


def groups_of(groups: pd.DataFrame) -> pd.DataFrame:
    """The first start's optimum of every group, and of all its starts how many and which share found
    the word: GROUP, OF_GROUPS, `starts`, `recovery`.

    groups: as `describe_groups` writes them, a row per start.
    """
    over_starts = groups.groupby(GROUP)["recovered"].agg(starts="size", recovery="mean")
    first = groups.loc[groups["restart"] == 0, GROUP + OF_GROUPS]
    return first.join(over_starts, on=GROUP).reset_index(drop=True)


def ranking_of(ranking: pd.DataFrame, targets, neurons, largest: int) -> list[list[int]]:
    """For every target the rows (of `neurons`) of the neurons of its largest group, in their order.

    ranking: as `rank_neurons` writes it, of the scope that has one group for all layers.
    """
    first = ranking[ranking["rank"] <= largest].sort_values("rank")
    rows = pd.Series(_rows(neurons, first), index=first["word"].astype(str))
    by_word = rows.groupby(level=0, sort=False).agg(list)
    return [by_word[word] for word in targets]


def nulls_by_layer(nulls: pd.DataFrame) -> pd.DataFrame:
    """What the neurons of null models reached: medians over neurons, starts and draws by layer.

    nulls: as `ascend_null_singles` writes them. Returns `null`, `site`, `layer`, `neurons`,
    `nearest_cosine`, `share_of_ceiling`, `utilisation_best_word`.
    """
    nulls = nulls.assign(share_of_ceiling=nulls["activation"] / nulls["ceiling"])
    by_layer = nulls.groupby(["null", "site", "layer"], sort=False)
    measured = ["nearest_cosine", "share_of_ceiling", "utilisation_best_word"]
    medians = by_layer[measured].median()
    return medians.assign(neurons=by_layer.size()).reset_index()


def columns(table: pd.DataFrame) -> dict[str, list]:
    """A table as JSON takes it: a list per column, numbers to four figures, nothing for none."""
    return {name: [plain(value) for value in table[name]] for name in table.columns}


def plain(value):
    """A value as JSON takes it; lists and arrays too. No NaN, no infinity: None."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(part) for part in value]
    if isinstance(value, (bool, np.bool_)):
        return int(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.4g}") if np.isfinite(value) else None
    return None if value is None or value is pd.NA else str(value)


def packed(document: dict) -> bytes:
    """A document as gzipped JSON: the same bytes for the same document."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return gzip.compress(text.encode("utf-8"), mtime=0)


def page(template: str, files: dict[str, str], about: dict, models: dict[str, bytes]) -> str:
    """The whole atlas as one HTML page.

    template: a page with links to style sheets and scripts, a line each, and the line `<!-- data -->`.
    files: what they link to, by name; each goes in place of its link. about: of the study, small.
    models: name -> a model's part, `packed`. Raises KeyError for a file that is not there.
    """
    blocks = [_json_block("about", about)]
    for name, part in models.items():
        text = base64.b64encode(part).decode("ascii")
        name = html.escape(name, quote=True)
        blocks.append(f'<script type="application/gzip" data-model="{name}">{text}</script>')
    lines = [_inlined(line, files) for line in template.splitlines()]
    return "\n".join(lines).replace("<!-- data -->", "\n".join(blocks), 1) + "\n"


def _inlined(line: str, files: dict[str, str]) -> str:
    """A line of the template; a link to a file becomes what the file holds."""
    if link := re.fullmatch(r'<link rel="stylesheet" href="(.*)">', line):
        return f"<style>\n{files[link[1]]}</style>"
    if link := re.fullmatch(r'<script src="(.*)"></script>', line):
        # In JavaScript <\/script means the same, and does not end the script for HTML.
        return "<script>" + files[link[1]].replace("</script", "<\\/script") + "</script>"
    return line


def _json_block(name: str, value) -> str:
    text = json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>'


def _rows(neurons: pd.DataFrame, of: pd.DataFrame) -> list[int]:
    """Where in `neurons` the neurons of another table stand; each of them must be there."""
    places = pd.MultiIndex.from_frame(neurons[NEURON].astype({"site": str}))
    wanted = pd.MultiIndex.from_frame(of[NEURON].astype({"site": str}))
    rows = places.get_indexer(wanted)
    if (rows < 0).any():
        raise ValueError(f"no neuron {'/'.join(map(str, wanted[rows < 0][0]))} in the summaries")
    return [int(row) for row in rows]
