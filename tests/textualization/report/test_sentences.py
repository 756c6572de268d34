"""Sentences made of numbers, from tables small enough to read."""

import math

import pandas as pd
import pytest

from textualization.report.sentences import (
    against_nulls,
    in_short,
    lines,
    sorted_by_null_models,
    with_interval,
)
from textualization.report.verdicts import NULL_VERDICTS, claims_table

NAN, INF = math.nan, math.inf
MODELS = ["permuted", "untrained"]


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.5, 0.326, 0.674, "0.500 [0.326, 0.674]"),
        (-0.5, -1, 0, "-0.500 [-1.000, 0.000]"),
        (0.5, NAN, 0.7, "0.500"),
        (0.5, 0.3, NAN, "0.500"),
        (0.5, NAN, NAN, "0.500"),
        (1, NAN, NAN, "1.000"),
        (312.4, 250, 450.6, "312 [250, 451]"),
        (312.4, 250, INF, "312 [250, ∞]"),
        (-312, -INF, -250, "-312 [−∞, -250]"),
        (NAN, 300, INF, "not reached [300, ∞]"),
        (NAN, NAN, NAN, "not reached"),
        (INF, NAN, NAN, "not reached"),
    ],
)
def test_a_value_is_told_with_its_interval_if_it_has_one(value, low, high, text):
    assert with_interval(value, low, high) == text


def null(claim, name, verdict="above null", told=0.2, excess=(0.3, 0.1, 0.5), **more):
    bounds = zip(("excess", "excess_low", "excess_high"), excess, strict=True)
    row = {"claim": claim, "null_model": name, "null_value": told, "verdict": verdict}
    row["value"] = 0.5
    return row | dict(bounds) | more


def own(claim, value=0.5, low=0.4, high=0.6, verdict="differs"):
    row = {"claim": claim, "statement": f"what {claim} says", "value": value, "verdict": verdict}
    return row | {"ci_low": low, "ci_high": high}


def none_of(claim, name):
    return null(claim, name, "no interval", NAN, (NAN, NAN, NAN))


def test_nulls_are_told_in_a_line_each_with_its_excess():
    table = claims_table(
        [
            null("a", "permuted_keep_embeddings"),
            null("a", "untrained", "below null", 0.8, (-0.3, -0.5, -0.1)),
            null("a", "start", "not told apart", 0.5, (0.01, -0.1, 0.1)),
            null("a", "chance", "above null", 0.001, (0.499, NAN, NAN)),
        ]
    )
    assert against_nulls(table) == (
        "permuted keep embeddings 0.200, model 0.500 (above, excess 0.300 [0.100, 0.500]); "
        "untrained 0.800, model 0.500 (below, excess -0.300 [-0.500, -0.100]); "
        "start 0.500, model 0.500 (not told apart, excess 0.010 [-0.100, 0.100]); "
        "chance 0.001, model 0.500 (above, excess 0.499)"
    )


def test_a_null_that_never_gets_there_has_no_excess_to_tell():
    never = null("a", "permuted", "below null", NAN, (NAN, -INF, -200))
    assert against_nulls(claims_table([never])) == "permuted not reached, model 0.500 (below)"
    assert (
        against_nulls(claims_table([none_of("a", "start")]))
        == "start not reached, model 0.500 (no interval)"
    )


def test_no_null_is_nothing_to_tell():
    assert against_nulls(claims_table([])) == ""


@pytest.mark.parametrize("verdict", NULL_VERDICTS)
def test_every_verdict_beside_a_null_can_be_told(verdict):
    told = against_nulls(claims_table([null("a", "start", verdict)]))
    assert verdict.removesuffix(" null") in told


def test_claims_are_sorted_by_how_many_null_models_they_differ_from():
    table = claims_table(
        [
            own("z.both"),
            null("z.both", "permuted"),
            null("z.both", "untrained"),
            null("z.both", "start", "not told apart"),  # is no null model
            own("other way"),
            null("other way", "permuted", "below null"),
            own("one"),
            null("one", "permuted", "not told apart"),
            null("one", "untrained"),
            own("half"),
            null("half", "permuted"),
            none_of("half", "untrained"),
            own("neither"),
            null("neither", "permuted", "not told apart"),
            none_of("neither", "untrained"),
            null("neither", "start"),
            own("only by others"),
            null("only by others", "start"),
            own("alone"),
            own("a.both"),
            null("a.both", "permuted"),
            own("a.threshold.both"),
            null("a.threshold.both", "permuted", "below null"),
            null("a.threshold.both", "untrained", "below null"),
            own("a.threshold.worse"),
            null("a.threshold.worse", "permuted"),
        ]
    )
    expected = {"all": ["z.both", "a.both", "a.threshold.both"], "none": ["neither"]}
    expected["some"] = ["other way", "one", "half", "a.threshold.worse"]
    assert sorted_by_null_models(table, MODELS) == expected
    assert sorted_by_null_models(table, []) == {"all": [], "some": [], "none": []}
    with_start = sorted_by_null_models(table, ["start"])
    assert with_start == {"all": ["neither", "only by others"], "some": [], "none": ["z.both"]}


def test_a_claim_is_a_line_with_its_value_and_the_nulls_asked_for():
    table = claims_table(
        [
            own("a"),
            null("a", "permuted"),
            null("a", "start", "not told apart", 0.4, (0.1, -0.1, 0.3)),
            own("b", NAN, 300, INF),
            null("b", "permuted", "not told apart", 310, (-10, -90, 80)),
            own("c", 0.25, NAN, NAN),
        ]
    )
    a = "- what a says: **0.500 [0.400, 0.600]**; "
    a += "permuted 0.200, model 0.500 (above, excess 0.300 [0.100, 0.500])."
    b = "- what b says: **not reached [300, ∞]**; "
    b += "permuted 310, model 0.500 (not told apart, excess -10.0 [-90.0, 80.0])."
    c = "- what c says: **0.250**."
    assert lines(table, ["b", "a", "c"], MODELS) == [b, a, c]
    told = "start 0.400, model 0.500 (not told apart, excess 0.100 [-0.100, 0.300])."
    assert lines(table, ["a"], ["start"]) == [f"- what a says: **0.500 [0.400, 0.600]**; {told}"]
    assert lines(table, ["a"], []) == ["- what a says: **0.500 [0.400, 0.600]**."]
    assert lines(table, [], MODELS) == []


def test_a_table_read_back_from_csv_reads_the_same(tmp_path):
    table = claims_table([own("a"), null("a", "permuted"), own("b"), none_of("b", "permuted")])
    table.to_csv(tmp_path / "claims.csv", index=False)
    back = pd.read_csv(tmp_path / "claims.csv")
    assert lines(back, ["a", "b"], MODELS) == lines(table, ["a", "b"], MODELS)
    assert sorted_by_null_models(back, MODELS) == sorted_by_null_models(table, MODELS)


def test_a_study_in_short_is_a_sentence_per_claim_that_it_has_with_each_null():
    name = "single.nearest_cosine"
    table = claims_table(
        [
            own(name, 0.223),
            null(name, "permuted", told=0.206),
            null(name, "untrained", told=NAN),
            own("group.threshold.absolute.67", NAN),
        ]
    )
    assert in_short(table, MODELS) == (
        "The optimum of a single neuron lies at a cosine of 0.223 from its nearest word (permuted "
        "weights: 0.206, untrained weights: not reached). At no group size studied are 67 % of words "
        "recovered (no null model)."
    )
    assert in_short(table.iloc[:0], MODELS) == ""
