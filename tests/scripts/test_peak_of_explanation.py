"""Where explanation is highest along planted courses."""

import itertools

import pandas as pd

from scripts.experiments.peak_of_explanation import peaks

#: Mean explanation by steps: a peak in layer 1 and in groups, none in layer 2.
COURSES = {1: {1: 0.2, 5: 0.6, 20: 0.4}, 2: {1: 0.1, 5: 0.2, 20: 0.7}, 0: {1: 0.5, 5: 0.4, 20: 0.3}}


def optima():
    rows = []
    for null, layer in itertools.product(("model", "permuted"), COURSES):
        for steps, index in itertools.product((1, 5, 20), (0, 1)):
            row = {"null": null, "kind": "single" if layer else "group", "layer": layer}
            row |= {
                "size": 1 if layer else 100,
                "steps": steps,
                "condition": f"paper steps={steps}",
            }
            # Two objectives around the mean.
            row["explanation"] = COURSES[layer][steps] + 0.1 * (index - 0.5)
            rows.append(row | {"activation_share": steps / 20})
    # A block of one number of steps has no course.
    rows += [row | {"condition": "other"} for row in rows if row["steps"] == 5]
    return pd.DataFrame(rows)


def test_the_peak_is_where_the_mean_is_highest():
    found = peaks(optima()).set_index(["null", "of", "layer"])
    assert set(found["condition"]) == {"paper"} and len(found) == 2 * 4
    for null in ("model", "permuted"):
        rows = found.loc[null]
        layers = [("single", "1"), ("single", "2"), ("single", "all"), ("group", "")]
        assert rows.index.tolist() == [layers[0], layers[1], layers[3], layers[2]]
        rows = rows.loc[layers].round(9)
        assert rows["n"].tolist() == [2, 2, 4, 2]
        assert rows["steps"].tolist() == [5, 20, 20, 1]
        assert rows["explanation"].tolist() == [0.6, 0.7, 0.55, 0.5]
        assert rows["activation_share"].tolist() == [0.25, 1, 1, 0.05]
        assert rows["last_steps"].tolist() == [20] * 4
        assert rows["last_explanation"].tolist() == [0.4, 0.7, 0.55, 0.3]


def test_what_was_not_measured_has_no_peak():
    table = optima()
    assert not len(peaks(table.assign(explanation=float("nan"))))
