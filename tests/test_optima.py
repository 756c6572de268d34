"""Nulls as figures read them; a study may ask for none."""

import pandas as pd

from comparing import write_comparisons
from optima import nulls_of_groups, read_nulls
from textualization.presenting import KINDS


def written(folder, rows):
    paths = [str(folder / f"nulls.{kind}") for kind in KINDS]
    write_comparisons(rows, *paths)
    return paths[0]


def test_no_nulls_are_an_empty_table(tmp_path):
    assert not len(read_nulls([])) and not list(read_nulls([]).groupby("null"))
    for kind in ("recovery", "threshold"):
        found = nulls_of_groups(written(tmp_path, []), kind)
        assert not len(found) and {"selection", "size", "value"} <= set(found.columns)


def test_nulls_of_a_kind_are_read_with_what_their_claim_names(tmp_path):
    row = {"null_model": "permuted", "null_value": 0.5, "null_low": 0.4, "null_high": 0.6, "p": 0.1}
    rows = [
        row | {"claim": "group.recovery.z_score.50"},
        row | {"claim": "group.threshold.absolute.67"},
    ]
    rows.append(row | {"claim": "group.threshold.absolute.95", "null_value": float("nan")})
    path = written(tmp_path, rows)
    columns = ["null_model", "value", "low", "high", "selection", "size"]
    expected = pd.DataFrame([("permuted", 0.5, 0.4, 0.6, "z_score", 50)], columns=columns)
    pd.testing.assert_frame_equal(nulls_of_groups(path, "recovery"), expected)
    found = nulls_of_groups(path, "threshold")
    assert found[["selection", "size"]].to_numpy().tolist() == [["absolute", 67]]
