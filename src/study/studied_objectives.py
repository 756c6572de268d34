"""All objectives of a study, by name: its single neurons, groups and directions."""

from collections.abc import Mapping

import pandas as pd

from study.objective_names import KEYS, names_of
from study.rankings import read_rankings
from study.word_groups import word_groups
from textualization.draws import drawn_neurons


def studied_objectives(
    singles: Mapping | None = None, rankings=(), targets=None, sizes=None, vectors=()
) -> pd.DataFrame:
    """List a study's objectives.

    Args:
        singles: `seed`, `widths` (neurons per layer by site), `layers` and `neurons` (per layer, or
            all); None for none.
        rankings: files of rankings, as `read_rankings` takes them; none without groups.
        targets: the file of the target words.
        sizes: the group sizes by scope.
        vectors: files of directions, a set each.

    Returns:
        A row per objective: `kind`, `objective` (its name), and `neurons`: a list of neurons, or the
        direction by (site, layer). First single neurons, then groups, then directions.
    """
    rows = []
    if singles:
        rows += [
            ("singles", f"{site}/{layer}/{index}", [(site, layer, int(index))])
            for site, width in singles["widths"].items()
            for layer in singles["layers"]
            for index in drawn_neurons(singles["seed"], site, layer, width, singles["neurons"])
        ]
    for selection, scope, ranking in read_rankings(rankings):
        groups = word_groups(
            ranking, pd.read_parquet(targets), sizes[scope], selection=selection, scope=scope,
            restarts=1, repeated="all", seed=0,
        )  # fmt: skip
        groups["word"] = [identity[1] for identity in groups["identity"]]
        named = zip(names_of("groups", groups), groups["neurons"], strict=True)
        rows += [("groups", name, neurons) for name, neurons in named]
    for path in vectors:
        made = pd.read_parquet(path)
        rows += [
            ("directions", of.name, {(of.site, of.layer): of.vector.copy()})
            for of in made.itertuples(index=False)
        ]
    return pd.DataFrame(rows, columns=["kind", "objective", "neurons"])


def as_requested(objectives: pd.DataFrame) -> dict:
    """Return objectives as arguments of the library's functions, which keep their order.

    Args:
        objectives: rows of `studied_objectives`.
    """
    of = {kind: objectives[objectives["kind"] == kind] for kind in KEYS}
    return {
        "neurons": of["singles"]["objective"].tolist(),
        "groups": dict(zip(of["groups"]["objective"], of["groups"]["neurons"], strict=True)),
        "directions": dict(
            zip(of["directions"]["objective"], of["directions"]["neurons"], strict=True)
        ),
    }
