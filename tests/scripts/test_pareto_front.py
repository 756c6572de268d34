"""Which conditions stand on a front of two goods."""

import pandas as pd

from scripts.experiments.pareto_front import beaten


def test_a_condition_is_beaten_by_one_that_is_better_in_one_and_no_worse_in_the_other():
    points = [(0.2, 1.0), (0.5, 0.9), (0.4, 0.9), (1.0, 0.3), (1.0 + 1e-9, 0.2), (0.5, 0.9)]
    table = pd.DataFrame(points, columns=["nearest_cosine", "activation_share"])
    found = [beaten(row, table) for row in table.itertuples()]
    # Equal points do not beat each other; rounding makes no better one.
    assert found == [False, False, True, False, True, False]
