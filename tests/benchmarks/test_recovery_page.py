"""The page on the rule of recovery: its shares of variance, means of curves and what is left."""

import numpy as np
import pandas as pd
import pytest

import recovery_page as page


def groups(seed=0) -> pd.DataFrame:
    """Groups of one study: a model with all words, a null model with some."""
    draw = np.random.default_rng(seed)
    rows = [
        {
            "study": "s",
            "model": "m",
            "null": null,
            "selection": "absolute",
            "size": size,
            "word": word,
        }
        for null, words in (("model", 8), ("permuted", 5))
        for size in (10, 20, 40)
        for word in range(words)
    ]
    table = pd.DataFrame(rows).astype({"word": str})
    for name in ("recovered", "rule", "rule_1", "rule_2"):
        table[name] = draw.random(len(table)).round(2)
    return table


def test_r2_is_one_minus_the_share_that_is_missed():
    actual, predicted = np.array([0.0, 0.5, 1.0]), np.array([0.1, 0.5, 0.8])
    assert page.r2(actual, predicted) == pytest.approx(1 - 0.05 / 0.5)
    assert page.r2(actual, np.full(3, 0.5)) == pytest.approx(0)
    assert np.isnan(page.r2(np.ones(3), predicted))


def test_means_of_curves_are_those_of_drawn_words():
    table = groups()
    found = page.Resampled(table)
    plain = table.groupby(page.CURVE, sort=False)["recovered"].mean()
    assert found.means("recovered")[0] == pytest.approx(plain.to_numpy())
    # A resample, written out: every row as often as its word was drawn.
    times = dict(zip(pd.unique(table["word"]), found.weights[7].astype(int), strict=True))
    again = table.loc[table.index.repeat(table["word"].map(times))]
    again = again.groupby(page.CURVE)["recovered"].mean().reindex(plain.index)
    assert sum(times.values()) == 8
    assert found.means("recovered")[7] == pytest.approx(again.to_numpy(), nan_ok=True)


def test_what_is_left_is_the_difference_without_what_was_expected():
    table = groups()
    (row,) = page.left(table).to_dict("records")
    means = table.groupby("null")[["recovered", "rule"]].mean()
    difference = means.loc["model"] - means.loc["permuted"]
    assert float(row["recovered, model − null"].split()[0]) == pytest.approx(
        difference["recovered"], abs=0.006
    )
    left = difference["recovered"] - difference["rule"]
    assert float(row["left"].split()[0]) == pytest.approx(left, abs=0.006)


def test_the_best_power_misses_least():
    table = groups()
    table["rule_2"] = table["recovered"] + 0.01
    assert page.best_power(table) == 2.0
