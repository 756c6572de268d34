"""The rule of verdicts, case by case."""

import math

import pytest

from textualization.claims import VERDICTS, claims_table, paper_text, verdict

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("value", "low", "high", "paper", "expected"),
    [
        (0.12, 0.10, 0.14, 0.124, "reproduced"),
        (0.12, 0.10, 0.124, 0.124, "reproduced"),  # the interval's end counts
        (0.20, 0.18, 0.22, 0.124, "differs"),
        (0.05, 0.03, 0.07, 0.124, "differs"),
        (0.124, NAN, NAN, 0.124, "reproduced"),  # no interval: the value alone
        (0.125, NAN, NAN, 0.124, "differs"),
        (0.0, -0.1, 0.1, 0, "reproduced"),  # zero is a number, not nothing
        (300, 200, 400, [250, 450], "reproduced"),
        (300, 280, 320, (250, 450), "reproduced"),  # within the band
        (900, 450, 1000, [250, 450], "reproduced"),  # touches its end
        (100, 50, 250, [250, 450], "reproduced"),
        (900, 451, 1000, [250, 450], "differs"),
        (100, 50, 249, [250, 450], "differs"),
        (900, 400, INF, [250, 450], "reproduced"),
        (900, 500, INF, [250, 450], "differs"),
        (300, NAN, NAN, [250, 450], "reproduced"),
        (NAN, INF, INF, [250, 450], "differs"),  # never reached
        (NAN, 400, INF, [250, 450], "differs"),  # nor where some resamples do
        (NAN, NAN, NAN, 0.124, "differs"),
    ],
)
def test_a_value_is_reproduced_if_its_interval_meets_what_the_paper_prints(
    value, low, high, paper, expected
):
    assert verdict(value, low, high, paper, comparable=True) == expected


@pytest.mark.parametrize("paper", [0.124, [0.1, 0.2], None])
def test_another_model_or_protocol_is_never_judged(paper):
    assert verdict(0.124, 0.1, 0.2, paper, comparable=False) == "not comparable"


def test_nothing_printed_is_nothing_to_compare():
    assert verdict(0.124, 0.1, 0.2, None, comparable=True) == "not comparable"
    assert verdict(NAN, NAN, NAN, None, comparable=True) == "not comparable"


def test_every_verdict_is_one_of_the_three():
    found = [verdict(0.1, 0.0, 0.2, paper, same) for paper in (0.1, 9) for same in (True, False)]
    assert sorted(set(found)) == sorted(VERDICTS)


@pytest.mark.parametrize(
    ("paper", "text"),
    [(None, ""), (0.124, "0.124"), (0.67, "0.67"), (0, "0"), ([250, 450], "250 to 450")],
)
def test_the_papers_number_is_shown_as_printed(paper, text):
    assert paper_text(paper) == text


def test_the_claims_table_keeps_its_columns_whatever_the_rows():
    order = ["claim", "model", "statement", "paper", "value", "ci_low", "ci_high", "n", "verdict"]
    order.append("protocol")
    row = {name: place for place, name in enumerate(reversed(order))}
    table = claims_table([row, row])
    assert list(table.columns) == order
    assert table.iloc[1].tolist() == list(range(9, -1, -1))
    assert list(claims_table([]).columns) == order
