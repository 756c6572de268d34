"""The rule of verdicts, case by case."""

import math

import pandas as pd
import pytest
import yaml

from paths import ROOT
from scripts.claims.write_claims import _matches, _nulls, _protocol_text
from textualization.report.verdicts import (
    NULL_VERDICTS,
    VERDICTS,
    by_equivalent,
    claims_table,
    null_verdict,
    paper_text,
    verdict,
)

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
    assert verdict(value, low, high, paper, comparable=True, nulls=["above null"]) == expected


@pytest.mark.parametrize(
    ("nulls", "expected"),
    [
        ([], "reproduced, no null run"),
        (["above null"], "reproduced"),
        (["below null"], "reproduced"),
        (["below null", "above null", "above null"], "reproduced"),
        (["not told apart"], "reproduced, as by a null"),
        (["no interval"], "reproduced, as by a null"),
        (["above null", "not told apart"], "reproduced, as by a null"),
        (["no interval", "above null"], "reproduced, as by a null"),
        (["not told apart", "no interval"], "reproduced, as by a null"),
    ],
)
def test_what_a_null_gives_as_well_is_not_simply_reproduced(nulls, expected):
    assert verdict(0.12, 0.10, 0.14, 0.124, True, nulls) == expected
    assert verdict(0.124, NAN, NAN, 0.124, True, nulls) == expected
    # Nulls are asked of nothing that is not reproduced.
    assert verdict(0.2, 0.18, 0.22, 0.124, True, nulls) == "differs"
    assert verdict(NAN, 0.1, 0.2, 0.124, True, nulls) == "differs"
    assert verdict(0.12, 0.10, 0.14, 0.124, False, nulls) == "not comparable"
    assert verdict(0.12, 0.10, 0.14, None, True, nulls) == "not comparable"


@pytest.mark.parametrize(
    ("low", "high", "p", "expected"),
    [
        (0.1, 0.3, 0.01, "above null"),
        (-0.3, -0.1, 0.01, "below null"),
        (-0.1, 0.3, 0.01, "not told apart"),  # the interval holds 0
        (0.1, 0.3, 0.2, "not told apart"),  # the test says no
        (-0.3, -0.1, 0.2, "not told apart"),
        (-0.1, 0.3, 0.2, "not told apart"),
        (0.1, 0.3, 0.05, "above null"),  # alpha itself is small enough
        (0.1, 0.3, 0.0501, "not told apart"),
        (0.0, 0.3, 0.01, "not told apart"),  # an end at 0 holds it
        (-0.3, 0.0, 0.01, "not told apart"),
        (0.0, 0.0, 0.01, "not told apart"),
        (0.1, 0.3, NAN, "above null"),  # no test: the interval alone
        (-0.3, -0.1, NAN, "below null"),
        (-0.1, 0.3, NAN, "not told apart"),
        (200, INF, NAN, "above null"),
        (-INF, -200, NAN, "below null"),
        (-INF, -INF, NAN, "below null"),  # the null never gets there
        (-INF, INF, NAN, "not told apart"),
        (NAN, 0.3, 0.01, "no interval"),
        (0.1, NAN, 0.01, "no interval"),
        (NAN, NAN, NAN, "no interval"),
    ],
)
def test_an_excess_differs_from_a_null_if_interval_and_test_both_say_so(low, high, p, expected):
    assert null_verdict(low, high, p, alpha=0.05) == expected


def test_every_verdict_beside_a_null_is_known():
    found = {null_verdict(low, 1.0, 0.01, 0.05) for low in (0.5, -0.5, NAN)}
    found.add(null_verdict(-1.0, -0.5, 0.01, 0.05))
    assert found == set(NULL_VERDICTS)


def test_nulls_are_judged_at_one_less_the_confidence():
    table = pd.DataFrame(
        {"null_model": ["permuted", "start"], "value": 0.5, "n": 9, "null_value": 0.2}
        | {"excess": 0.3, "excess_low": 0.1, "excess_high": 0.5, "dominance": 0.9, "p": 0.001}
        | {"p_adjusted": [0.07, NAN]}
    )
    for confidence, expected in ((0.95, "not told apart"), (0.9, "above null")):
        rows = _nulls(table, confidence)
        assert [row["null_model"] for row in rows] == ["permuted", "start"]
        assert [row["verdict"] for row in rows] == [expected, "above null"]
        assert [row["excess"] for row in rows] == [0.3, 0.3]


@pytest.mark.parametrize("paper", [0.124, [0.1, 0.2], None])
def test_another_model_or_protocol_is_never_judged(paper):
    assert verdict(0.124, 0.1, 0.2, paper, comparable=False, nulls=[]) == "not comparable"


def test_nothing_printed_is_nothing_to_compare():
    assert verdict(0.124, 0.1, 0.2, None, True, ["above null"]) == "not comparable"
    assert verdict(NAN, NAN, NAN, None, True, []) == "not comparable"


def test_every_verdict_beside_the_paper_is_known():
    found = {
        verdict(0.1, 0.0, 0.2, paper, same, nulls)
        for paper in (0.1, 9)
        for same in (True, False)
        for nulls in ([], ["above null"], ["no interval"])
    }
    assert found == set(VERDICTS)
    assert len(set(VERDICTS)) == len(VERDICTS)


def test_a_verdict_by_the_equivalent_solver_says_so():
    assert by_equivalent("reproduced") == "reproduced (equivalent solver)"
    assert by_equivalent("not comparable") == "not comparable"


@pytest.mark.parametrize(
    ("paper", "text"),
    [(None, ""), (0.124, "0.124"), (0.67, "0.67"), (0, "0"), ([250, 450], "250 to 450")],
)
def test_the_papers_number_is_shown_as_printed(paper, text):
    assert paper_text(paper) == text


def test_the_claims_table_keeps_its_columns_whatever_the_rows():
    order = "claim model statement paper value ci_low ci_high n twin_change null_model null_value excess"
    order += " excess_low excess_high p_adjusted dominance verdict protocol"
    order = order.split()
    row = {name: place for place, name in enumerate(reversed(order))}
    table = claims_table([row, row])
    assert list(table.columns) == order
    assert table.iloc[1].tolist() == list(range(17, -1, -1))
    assert list(claims_table([]).columns) == order
    # A null's row lacks what only a claim has, and the other way round.
    both = claims_table([{"claim": "a", "paper": "0.1"}, {"claim": "a", "null_model": "permuted"}])
    assert both["claim"].tolist() == ["a", "a"]
    assert both["null_model"].isna().tolist() == [True, False]


PAPER = yaml.safe_load((ROOT / "resources/paper.yaml").read_text())["protocol"]
ONCE = {"restarts": 1, "repeated": "all", "of": "neurons per layer"}


def protocol(**changes):
    """The protocol of a study that does what the paper did, with some settings changed."""
    flat = {"solver": "paper", "rate": 1001, "steps": 5000, "tolerance": 0, "window": 20}
    flat |= {"dtype": "float32", "init": {"kind": "normal", "scale": 1.0}, "seed": 2023} | changes
    options = {name: flat.pop(name) for name in ("rate", "angle") if name in flat}
    return flat | {"options": options}


def test_what_the_paper_did_is_its_protocol_whatever_it_left_open():
    for change in ({}, {"dtype": "float64"}, {"window": 5}, {"seed": 5}):
        assert _matches(PAPER, protocol(**change))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"steps": 200}, "200 steps at rate 1001 from normal x0 of scale 1"),
        ({"rate": 100}, "5000 steps at rate 100 from normal x0 of scale 1"),
        (
            {"solver": "lbfgs", "init": {"kind": "normal", "scale": "words"}},
            "5000 steps of lbfgs in float32 from normal x0 as long as words",
        ),
        ({"solver": "lbfgs"}, "5000 steps of lbfgs in float32 from normal x0 of scale 1"),
        ({"tolerance": 3e-4}, "until the relative gain over 20 steps is below 0.0003, from normal"),
    ],
)
def test_another_protocol_is_not_the_papers_and_says_what_it_was(change, text):
    assert not _matches(PAPER, protocol(**change))
    assert text in _protocol_text(protocol(**change), ONCE)


@pytest.mark.parametrize(
    ("restarts", "end"),
    [
        ({}, "of scale 1"),
        ({"repeated": 5}, "of scale 1"),
        ({"restarts": 3}, "of scale 1, 3 restarts"),
        ({"restarts": 3, "repeated": 5}, "of scale 1, 3 restarts of 5 neurons per layer"),
    ],
)
def test_a_protocol_says_how_often_it_started(restarts, end):
    assert _protocol_text(protocol(), ONCE | restarts).endswith(end)
