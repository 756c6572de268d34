"""Optima are kept in a file as they are, and read as tables."""

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from safetensors import SafetensorError

from textualization.optima_arrays import OptimaArrays

FACTS = pd.DataFrame(
    {
        "site": ["output", "intermediate", "é – ד"],
        "layer": [1, 2, 12],
        "share": [0.1, 1 / 3, 1e-30],
        "first": [True, False, True],
        "item": ["", "a\tb\n", '"'],
    }
)
#: Numbers that would not survive a detour through text or another kind.
AWKWARD = np.array([0.1, -np.inf, np.nan])


def optima():
    dice = np.random.default_rng(0)
    return OptimaArrays(
        objectives=FACTS,
        start=dice.normal(size=(3, 4)).astype(np.float32),
        embedding=dice.normal(size=(3, 4)).astype(np.float32),
        activation=AWKWARD,
        ceiling=np.array([1.0, 2.0, np.nan]),
        largest_entries=np.arange(6).reshape(3, 2),
        finite=np.array([True, True, False]),
        dead=np.array([False, True, False]),
        taken=np.array([7, 0, 3]),
        steps=np.array([0, 3, 7]),
        curve=dice.normal(size=(3, 3)).astype(np.float32).T,
    )


def arrays(of):
    return {f.name: getattr(of, f.name) for f in fields(of) if f.name != "objectives"}


def test_what_is_saved_is_loaded_bit_for_bit(tmp_path):
    optima().save(tmp_path / "o")
    found = OptimaArrays.load(tmp_path / "o")
    pd.testing.assert_frame_equal(found.objectives, FACTS, check_exact=True)
    expected = arrays(optima())
    assert list(arrays(found)) == list(expected)
    for name, array in arrays(found).items():
        assert array.dtype == expected[name].dtype, name
        assert array.tobytes() == np.ascontiguousarray(expected[name]).tobytes(), name
    assert len(found) == 3


def test_the_same_optima_are_the_same_bytes(tmp_path):
    optima().save(tmp_path / "one")
    OptimaArrays.load(tmp_path / "one").save(tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other"]


def test_a_save_that_fails_leaves_the_file_before_it(tmp_path):
    optima().save(tmp_path / "o")
    before = (tmp_path / "o").read_bytes()
    with pytest.raises(SafetensorError, match="object"):
        replace(optima(), taken=np.array([None] * 3)).save(tmp_path / "o")
    assert (tmp_path / "o").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["o"]


@pytest.mark.parametrize("columns", [[], ["word", "size"]])
def test_no_optima_are_kept_too(tmp_path, columns):
    OptimaArrays.empty(pd.DataFrame(columns=columns)).save(tmp_path / "o")
    found = OptimaArrays.load(tmp_path / "o")
    assert len(found) == 0 and found.objectives.columns.tolist() == columns
    assert all(array.size == 0 for array in arrays(found).values())


def test_facts_are_what_the_optima_are_of_and_how_they_ended():
    found = optima().facts()
    assert found["layer"].tolist() == [1, 2, 12] and found["taken"].tolist() == [7, 0, 3]
    np.testing.assert_array_equal(found["activation"], AWKWARD)
    np.testing.assert_array_equal(found["start_activation"], optima().curve[0])
    assert [list(ids) for ids in found["largest_entries"]] == [[0, 1], [2, 3], [4, 5]]
    assert not found["finite"].all() and found["dead"].sum() == 1


def test_curves_are_a_row_per_optimum_and_recorded_step():
    whole = optima()
    found = whole.curves(first_row=10)
    assert len(found) == 9
    for row in found.itertuples():
        place = whole.steps.tolist().index(row.step)
        assert row.activation == whole.curve[place, row.row - 10]
    assert sorted(zip(found["row"], found["step"], strict=True)) == [
        (row, step) for row in (10, 11, 12) for step in (0, 3, 7)
    ]
    assert whole.curves()["row"].min() == 0


def test_every_optimum_of_a_table_has_its_own_curve():
    whole = optima()
    found = whole.with_curves(whole.facts())
    for place, row in enumerate(found.itertuples()):
        np.testing.assert_array_equal(row.curve, whole.curve[:, place])
        np.testing.assert_array_equal(row.steps, whole.steps)
    assert "curve" not in whole.facts()
