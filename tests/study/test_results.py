"""A study's results as several scripts read them; it may have run no nulls, or a batch no objective."""

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from study.results import measures_of, nulls_of_groups, read_nulls, read_optima
from textualization.analysis.null_comparison import write_comparisons
from textualization.optima_arrays import OptimaArrays
from textualization.report.tables import TableFiles

CONVERGENCE = {"last": 0.5, "tolerance": 0.01}


def written(folder, rows):
    files = TableFiles(*(str(folder / f"nulls.{kind}") for kind in ("csv", "md", "tex", "html")))
    write_comparisons(rows, files)
    return files.csv


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


def test_gated_neurons_are_also_read_by_the_unsigned_measure(tmp_path):
    plain, gated = tmp_path / "plain.safetensors", tmp_path / "gated.safetensors"
    tensors = {"block.1.intermediate.weight": np.zeros((2, 2), np.float32)}
    save_file(tensors, plain)
    save_file(tensors | {"block.1.gate.weight": np.zeros((2, 2), np.float32)}, gated)
    both = ("explanation", "explanation_unsigned")
    assert measures_of(gated, ["intermediate"]) == both
    # Outputs are sums, and groups of both sites are gated in part only.
    for sites in (["output"], ["output", "intermediate"]):
        assert measures_of(gated, sites) == both[:1]
    assert measures_of(plain, ["intermediate"]) == both[:1]


def optima_of(first, **others):
    """Optima of two neurons, whose curves are flat."""
    facts = pd.DataFrame({"site": "output", "layer": 1, "index": [first, first + 1], "restart": 0})
    arrays = {
        "start": np.full((2, 4), first),
        "embedding": np.full((2, 4), -first),
        "activation": np.ones(2),
        "ceiling": np.full(2, 3.0),
        "largest_entries": np.zeros((2, 1), dtype=int),
        "finite": np.array([True, True]),
        "dead": np.zeros(2, dtype=bool),
        "taken": np.full(2, 10),
        "steps": np.array([0, 5, 10]),
        "curve": np.ones((3, 2)),
    }
    return OptimaArrays(facts, **arrays | others)


def test_an_ascent_that_broke_off_has_not_come_to_rest(tmp_path):
    # Its curve is flat, where it was left.
    path = tmp_path / "output-1-0.safetensors"
    optima_of(0, finite=np.array([True, False])).save(path)
    facts, *_ = read_optima([path], CONVERGENCE, 0.05)
    assert facts["converged"].tolist() == [True, False]


def test_batches_of_optima_are_read_in_order_without_those_of_nothing(tmp_path):
    batches = [optima_of(0), OptimaArrays.empty(pd.DataFrame()), optima_of(2)]
    paths = [tmp_path / f"{place}.safetensors" for place in range(3)]
    for batch, path in zip(batches, paths, strict=True):
        batch.save(path)
    facts, start, found, curves = read_optima(paths, CONVERGENCE, 0.05)
    assert facts["index"].tolist() == [0, 1, 2, 3]
    assert start[:, 0].tolist() == [0, 0, 2, 2] and found[:, 0].tolist() == [0, 0, -2, -2]
    assert not facts["collapsed"].any()
    steps = [(row, step) for rows in ((0, 1), (2, 3)) for step in (0, 5, 10) for row in rows]
    assert list(zip(curves["row"], curves["step"], strict=True)) == steps


@pytest.mark.parametrize(("end", "fell"), [(0.99, False), (0.9, True)])
def test_an_ascent_that_fell_far_has_collapsed(tmp_path, end, fell):
    path = tmp_path / "output-1-0.safetensors"
    optima_of(0, curve=np.array([[0.5, 0.5], [1.0, 1.0], [1.0, end]])).save(path)
    facts, *_ = read_optima([path], CONVERGENCE, 0.05)
    assert facts["collapsed"].tolist() == [False, fell]
