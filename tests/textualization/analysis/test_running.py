"""Highest values and quantiles of a stream are those of all of it at once."""

import numpy as np
import pytest

from textualization.analysis.running import Highest, Sample


def stream(seed=0, count=400, levels=None):
    """Values (count, 3), and where they were read, four tokens a sentence, in order."""
    random = np.random.default_rng(seed)
    values = random.standard_normal((count, 3))
    if levels:
        values = np.round(values * levels) / levels
    facts = np.zeros(count, Highest.FACTS)
    facts["sentence"], facts["place"] = np.arange(count) // 4 + 1, np.arange(count) % 4
    facts["key"] = np.arange(count)
    return values, facts


def naive(values, facts, top):
    """The readings by Python's own sort: the highest first, then the earlier."""
    found = []
    for column in values.T:
        known, rows = set(), []
        for value, sentence, place, key in sorted(
            zip(-column, facts["sentence"], facts["place"], facts["key"], strict=True)
        ):
            if key not in known:
                known.add(key)
                rows.append((-value, sentence, place))
        found.append(rows[:top])
    return found


@pytest.mark.parametrize("levels", [None, 2])
@pytest.mark.parametrize("parts", [1, 7, 130])
@pytest.mark.parametrize("top", [1, 6, 1000])
def test_the_highest_of_a_stream_in_any_order_are_the_highest_of_all(levels, parts, top):
    values, facts = stream(levels=levels)
    expected = naive(values, facts, top)
    for order in (np.arange(400), np.random.default_rng(1).permutation(400)):
        highest = Highest(3, top)
        for rows in np.array_split(order, parts):
            highest.add(values[rows], facts[rows])
        found = [
            [tuple(row)[:3] for row in kept[["value", "sentence", "place"]]]
            for kept in highest.kept
        ]
        assert found == expected
    assert highest.sentences() == {row[1] for rows in expected for row in rows}


def test_what_is_read_twice_is_kept_once_where_it_was_first():
    facts = np.zeros(4, Highest.FACTS)
    facts["sentence"], facts["key"] = [4, 2, 9, 3], [7, 7, 7, 8]
    highest = Highest(1, 3)
    for row in range(4):  # rounding may make a later copy the higher one
        highest.add(np.array([[1.0 + 1e-9 * row]]), facts[row : row + 1])
    assert highest.kept[0]["sentence"].tolist() == [3, 2]


@pytest.mark.parametrize("parts", [1, 9, 400])
def test_quantiles_are_exact_as_long_as_all_rows_are_kept(parts):
    values, _ = stream()
    sample, random = Sample(3, 400), np.random.default_rng(2)
    for rows in np.array_split(values, parts):
        sample.add(random.random(len(rows)), rows)
    shares = [0, 0.25, 0.5, 0.99, 1]
    expected = np.quantile(values.astype(np.float32), shares, axis=0)
    np.testing.assert_array_equal(sample.quantiles(shares), expected)
    assert len(sample) == 400


def test_a_sample_is_the_rows_with_the_smallest_keys_whatever_the_parts():
    values, _ = stream(count=4000)
    keys = np.random.default_rng(3).random(4000)
    kept = np.sort(values[np.argsort(keys)[:500]].astype(np.float32), axis=0)
    for parts in (1, 13, 1000):
        sample = Sample(3, 500)
        for rows in np.array_split(np.arange(4000), parts):
            sample.add(keys[rows], values[rows])
        np.testing.assert_array_equal(
            sample.quantiles([0, 0.5, 1]), np.quantile(kept, [0, 0.5, 1], axis=0)
        )
        assert len(sample) == 500 and sample.seen == 4000
    # Uniform: the sample's median is the stream's, within five standard errors.
    assert abs(np.median(values, axis=0) - np.median(kept, axis=0)).max() < 5 * 1.25 / 500**0.5
