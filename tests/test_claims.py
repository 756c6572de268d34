"""The rule of verdicts, case by case."""

import math
from pathlib import Path

import pytest
import yaml

from claims import _flat, _matches, _protocol
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


PAPER = yaml.safe_load((Path(__file__).parents[1] / "resources/paper.yaml").read_text())["protocol"]
INIT = {"kind": "normal", "scale": 1.0}


def asked(**changes):
    """The protocol of a study that asks for what the paper did, with some settings changed."""
    flat = {"solver": "paper", "rate": 1001, "steps": 5000, "tolerance": 0, "products": "same"}
    flat |= {"window": 20, "dtype": "float32", "polish": 0.1} | changes
    groups = {"options": ("rate", "angle"), "precision": ("dtype", "products", "polish")}
    nested = {group: {k: flat.pop(k) for k in keys if k in flat} for group, keys in groups.items()}
    return {"settings": flat | {"options": nested["options"]}, "precision": nested["precision"]}


def test_what_the_paper_did_is_its_protocol_whatever_it_left_open():
    for change in ({}, {"dtype": "float64"}, {"window": 5}, {"polish": 0.5}):
        assert _matches(PAPER, _flat(asked(**change)))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"steps": 200}, "200 steps at rate 1001 from normal x0 of scale 1"),
        ({"rate": 100}, "5000 steps at rate 100 from normal x0 of scale 1"),
        ({"solver": "lbfgs"}, "5000 steps of lbfgs from normal x0 of scale 1"),
        ({"tolerance": 3e-4}, "at rate 1001, fewer at a gain below 0.0003 over 20 from normal"),
        ({"products": "bfloat16"}, "at rate 1001, products in bfloat16 from normal"),
    ],
)
def test_another_protocol_is_not_the_papers_and_says_what_it_was(change, text):
    assert not _matches(PAPER, _flat(asked(**change)))
    assert text in _protocol(asked(**change), INIT, 1)
