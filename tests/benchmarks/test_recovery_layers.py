"""Groups of single layers, whose recovery is predicted: each one's neurons, and shares of variance."""

import numpy as np
import pandas as pd

import recovery_layers as layers
from paths import ROOT


def test_groups_are_the_neurons_that_the_word_itself_activates_most(monkeypatch):
    monkeypatch.setattr(layers, "SIZES", (2, 5))
    monkeypatch.setattr(layers, "SIZES_OF_LAYER", (1, 3))
    own = np.random.default_rng(4).normal(size=(3, 8))
    groups, columns = layers.chosen_groups(own, np.array([7, 9, 20]), layers=2, width=4)
    assert len(groups) == len(columns) == 3 * 2 * (1 + 2)
    for row, members in zip(groups.itertuples(), columns, strict=True):
        activation = own[[7, 9, 20].index(row.id)]
        first, pool = (0, 8) if row.scope == layers.ALL else (4 * (int(row.scope[-1]) - 1), 4)
        places = range(first, first + pool)
        assert list(members) == sorted(places, key=lambda c: -activation[c])[: row.size]


def test_a_row_says_what_was_expected_and_found_of_each_kind():
    rows = [
        {"scope": scope, "study": "s", "model": "m", "null": null, "selection": scope, "size": size}
        | {"word": word, "recovered": float(size > 20), "rule_1": expected}
        for scope, expected in (("layer 1", 0.25), ("layer 2", 0.5))
        for null in layers.KINDS
        for size in (10, 40)
        for word in "ab"
    ]
    one, two = layers.by(pd.DataFrame(rows), "scope").to_dict("records")
    assert one["curves' points"] == 6
    # Found 0 and 1, a variance of 0.25; 0.25 and 0.75 away from what was expected.
    assert one["R² of the rule"].split()[0] == f"{1 - (0.0625 + 0.5625) / 2 / 0.25:.2f}"
    assert two["R² of the rule"].split()[0] == "0.00"
    assert (one["model: expected"], one["permuted: found"]) == (
        "0.25 [0.25, 0.25]",
        "0.50 [0.50, 0.50]",
    )


def test_the_published_page_is_made_of_the_published_groups(tmp_path):
    page = tmp_path / "page.md"
    layers.main("nowhere", "nowhere", 1, ROOT / "docs/data/recovery-layers.csv", page)
    published = ROOT / "docs/recovery-layers.md"
    assert page.read_text(encoding="utf-8") == published.read_text(encoding="utf-8")
