"""Nulls as figures read them; a study may ask for none."""

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from comparing import write_comparisons
from optima import nulls_of_groups, read_batches, read_nulls
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


def test_an_ascent_that_broke_off_has_not_come_to_rest(tmp_path):
    # Its curve is flat, where it was left.
    batch = {
        "index": np.arange(2),
        "activation": np.ones(2),
        "ceiling": np.full(2, 3.0),
        "finite": np.array([True, False]),
        "dead": np.zeros(2, dtype=bool),
        "taken": np.full(2, 10),
        "largest_entries": np.zeros((2, 1), dtype=int),
        "start": np.ones((2, 4)),
        "embedding": np.ones((2, 4)),
        "steps": np.array([0, 5, 10]),
        "curve": np.ones((3, 2)),
    }
    path = tmp_path / "output-1-0.safetensors"
    save_file(batch, path)
    facts, *_ = read_batches(
        [path], ("index",), ("site", "layer", None), {"last": 0.5, "tolerance": 0.01}, 0.05
    )
    assert facts["converged"].tolist() == [True, False]
