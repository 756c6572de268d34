"""Optima compared with their twins, on tables small enough to read."""

import numpy as np
import pandas as pd
import pytest

from textualization.analysis.estimates import rate
from textualization.analysis.twins import differences, place_of_each, summary


def test_twins_are_found_whatever_the_order_and_the_types():
    own = pd.DataFrame({"word": ["a", "b", "a", "b"], "restart": [0, 0, 1, 1]})
    twins = pd.DataFrame({"word": pd.Categorical(["b", "a"]), "restart": [0, 0]})
    assert place_of_each(own, twins, ["word", "restart"]).tolist() == [1, 0]


def test_a_twin_of_nothing_is_named():
    own = pd.DataFrame({"word": ["a"], "restart": [0]})
    twins = pd.DataFrame({"word": ["a", "b"], "restart": [0, 0]})
    with pytest.raises(ValueError, match="no optimum of b/0"):
        place_of_each(own, twins, ["word", "restart"])


def test_differences_in_words_angles_and_activations():
    own = pd.DataFrame({"nearest_word": ["x", "y", "z"], "activation": [2.0, -4.0, 0.0]})
    twins = pd.DataFrame({"nearest_word": ["x", "w", "z"], "activation": [1.0, 4.0, 0.0]})
    e = np.array([[2.0, 0], [0, 1], [3, 4]], dtype=np.float32)
    found = differences(own, twins, e, np.array([[5.0, 0], [1, 1], [4, 3]], dtype=np.float32))
    assert found["elsewhere"].tolist() == [False, True, False]
    assert found["cosine"].tolist() == pytest.approx([1, 0.5**0.5, 0.96])
    assert found["change"].tolist() == pytest.approx([0.5, 2, 0])
    row = summary(found, 0.95)
    assert (row["twins"], row["elsewhere"]) == (3, 1)
    assert (row["share"], row["ci_low"], row["ci_high"]) == rate([0, 1, 0], 0.95)
    assert row["median_cosine"] == pytest.approx(0.96)
    assert row["smallest_cosine"] == pytest.approx(0.5**0.5)
    assert row["largest_change"] == pytest.approx(2)
