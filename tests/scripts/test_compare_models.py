"""Models at equal shares of their neurons, by hand."""

import pandas as pd
import pytest

from scripts.comparison.compare_models import _at_shares
from textualization.analysis.estimates import Intervals


def test_groups_of_a_share_are_those_of_the_models_own_size():
    groups = pd.DataFrame(
        [
            ("absolute", 5, "a", 1.0, 0.2),
            ("absolute", 5, "a", 0.0, 0.4),  # another start of the same word
            ("absolute", 5, "b", 1.0, 0.5),
            ("absolute", 50, "a", 0.0, 0.9),
            ("z_score", 5, "b", 0.0, 0.1),
        ],
        columns=["selection", "size", "word", "recovered", "explanation"],
    )
    rows = _at_shares(groups, "m", {"2%": 5}, Intervals(0.95, 200, 1))
    found = {row["quantity"]: row for row in rows}
    assert set(found) == {
        f"matched.{name}.{selection}.2%"
        for name in ("recovery", "explanation")
        for selection in ("absolute", "z_score")
    }
    assert found["matched.recovery.absolute.2%"]["value"] == pytest.approx(0.75)
    row = found["matched.explanation.absolute.2%"]
    assert row["value"] == pytest.approx(0.4) and row["n"] == 2 and row["model"] == "m"
    assert row["low"] <= 0.3 + 1e-9 and row["high"] >= 0.5 - 1e-9
