"""docs/answers.md: numbers from tables, and sentences that the tables may contradict."""

import math
import re

import pandas as pd
import pytest
import yaml

from paths import ROOT
from study.config.experiments import conditions
from study.config.settings import normalised
from study.published.answers import (
    AnswersError,
    Results,
    check_form,
    contradiction,
    needed,
    write_answers,
)
from study.published.facts import Fact, facts_of
from textualization.report.csv_tables import write_csv

#: Two conditions of an experiment, of which one differs from a null, and groups of two sizes.
NUMBERS = [
    {"condition": "plain", "of": "single", "size": 1, "value": 0.22, "ci_low": 0.21, "ci_high": 0.24},
    {"condition": "plain", "of": "single", "size": 1, "value": 0.22, "null_model": "permuted",
     "null_value": 0.1, "excess": 0.12, "excess_low": 0.1, "excess_high": 0.2, "verdict": "above null"},
    {"condition": "l2 strength=0.1", "of": "single", "size": 1, "value": 0.3, "ci_low": 0.23,
     "ci_high": 0.4, "difference": 0.08, "difference_low": -0.01, "difference_high": 0.1},
    {"condition": "plain", "of": "group", "size": 25, "value": 0.5, "ci_low": 0.45, "ci_high": 0.55},
    {"condition": "plain", "of": "group", "size": 100, "value": 0.9, "ci_low": 0.8, "ci_high": 0.95},
]  # fmt: skip
COLUMNS = ["condition", "of", "size", "statistic", "value", "ci_low", "ci_high", "difference"]
COLUMNS += [
    "difference_low",
    "difference_high",
    "null_model",
    "null_value",
    "null_low",
    "null_high",
]
COLUMNS += ["excess", "excess_low", "excess_high", "verdict"]
CLAIM = {"claim": "group.threshold.absolute.67", "model": "tiny"}
CLAIMS = [
    CLAIM | {"paper": "250 to 450", "value": 120.0, "ci_low": 100.0, "ci_high": 140.0},
    CLAIM
    | {"value": 120.0, "null_model": "permuted", "null_value": None, "verdict": "not told apart"},
    CLAIM | {"model": "other", "value": 7.0},
]
TWINS = [{"of": "singles", "layer": "all", "size": None, "twins": 12, "share": 0.5, "share_low": 0.2,
          "share_high": 0.8}]  # fmt: skip
SOURCES = {
    "penalty": {"model": "tiny", "experiment": "penalty"},
    "claims": {"model": "tiny", "claims": "study"},
    "twins": {"table": "study/tiny/tables/twins.csv", "key": ["of", "layer", "size"],
              "values": ["twins", "share"]},
    "later": {"model": "tiny", "experiment": "later"},
}  # fmt: skip
SECTION = {
    "question": "Does a penalty help?",
    "answer": [
        {"say": "Not clearly: {penalty/l2 strength=0.1/single/closeness:difference}.",
         "holds": ["penalty/l2 strength=0.1/single/closeness:difference ~ 0"]},
        {"say": "Plain ascent has {penalty/plain/single/closeness}, above "
                "{penalty/plain/single/closeness~permuted}.",
         "holds": ["penalty/plain/single/closeness~permuted is above null"]},
    ],
    "figure": "penalty",
    "caption": "A figure.",
    "table": {"columns": ["closeness"], "nulls": ["permuted"],
              "rows": {"plain": ["penalty/plain/single/closeness"],
                       "l2": ["penalty/l2 strength=0.1/single/closeness"]}},
    "change": "Another penalty.",
    "more": "More: [a page](page.md).",
}  # fmt: skip
LATER = SECTION | {"question": "And later?", "figure": "later"}
LATER |= {"table": {"columns": ["closeness"], "rows": {"plain": ["later/plain/single/closeness"]}}}


@pytest.fixture
def docs(tmp_path):
    frozen = tmp_path / "data/study"
    numbers = pd.DataFrame(NUMBERS).assign(statistic="closeness").reindex(columns=COLUMNS)
    claims = pd.DataFrame(CLAIMS)
    for name, table in (
        ("tiny/experiments/penalty/numbers.csv", numbers),
        ("claims.csv", claims),
        ("tiny/tables/twins.csv", pd.DataFrame(TWINS)),
    ):
        (frozen / name).parent.mkdir(parents=True, exist_ok=True)
        write_csv(table, frozen / name)
    (tmp_path / "penalty.txt").write_text("What the figure shows.\n")
    return tmp_path


@pytest.fixture
def results(docs):
    return Results({name: facts_of(of, [docs / "data/study"]) for name, of in SOURCES.items()})


def write(docs, *sections):
    content = {"opening": "# Answers\n", "sources": SOURCES, "sections": list(sections)}
    (docs / "template.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return write_answers(docs / "template.yaml", [docs / "data/study"], docs)


def test_numbers_come_with_their_intervals(docs):
    assert write(docs, SECTION) == []
    page = (docs / "answers.md").read_text()
    assert "Not clearly: 0.080 [-0.010, 0.100]." in page
    assert "Plain ascent has 0.220 [0.210, 0.240], above 0.100." in page
    assert "| plain | 0.220 [0.210, 0.240]; 0.100 |" in page
    assert "| l2 | 0.300 [0.230, 0.400] |" in page
    assert "![What the figure shows.](penalty.png)" in page and "Another penalty." in page


def test_a_verdict_that_contradicts_a_sentence_fails_and_names_it(docs):
    write(docs, SECTION)
    before = (docs / "answers.md").read_text()
    path = docs / "data/study/tiny/experiments/penalty/numbers.csv"
    path.write_text(path.read_text().replace("above null", "not told apart"))
    with pytest.raises(AnswersError) as error:
        write(docs, SECTION)
    (line,) = str(error.value).splitlines()
    assert "'Does a penalty help?': the sentence 'Plain ascent has" in line
    assert line.endswith(
        "penalty/plain/single/closeness~permuted is not told apart, not above null"
    )
    assert (docs / "answers.md").read_text() == before


def test_every_contradicted_sentence_has_its_line(docs):
    path = docs / "data/study/tiny/experiments/penalty/numbers.csv"
    path.write_text(path.read_text().replace("above null", "below null").replace("-0.01", "0.01"))
    with pytest.raises(AnswersError) as error:
        write(docs, SECTION)
    first, second = str(error.value).splitlines()
    assert "Not clearly" in first and "0.080 [0.010, 0.100] ~ 0.000" in first
    assert "Plain ascent" in second


def test_a_question_without_results_is_left_out_and_named(docs):
    assert write(docs, SECTION, LATER) == ["And later?"]
    page = (docs / "answers.md").read_text()
    assert "## And later?" not in page and "\n- And later?\n" in page


def test_a_misspelt_number_is_no_missing_result(docs):
    wrong = SECTION | {
        "table": {"columns": ["c"], "rows": {"a": ["penalty/plain/single/closness"]}}
    }
    with pytest.raises(
        AnswersError, match=r"closness' is no number \(near: plain/single/closeness"
    ):
        write(docs, wrong)
    with pytest.raises(AnswersError, match=r"'penalties' is no source \(known: penalty, claims"):
        write(docs, wrong | {"table": {"columns": ["c"], "rows": {"a": ["penalties/plain"]}}})


def test_names_of_facts(results):
    assert results.get("penalty/plain/group 25/closeness") == Fact(0.5, 0.45, 0.55)
    said = {Fact(0.0): "0.000", Fact(0.0004): "0.0004", Fact(-3.2e-8): "-3e-08", Fact(7): "7"}
    assert {fact: str(fact) for fact in said} == said
    assert results.get("penalty/plain/group 100/closeness").value == 0.9
    excess = results.get("penalty/plain/single/closeness~permuted:excess")
    assert (excess.value, excess.bounds(), excess.verdict) == (0.12, (0.1, 0.2), "above null")
    assert str(results.get("claims/group.threshold.absolute.67")) == "120 [100, 140]"
    assert str(results.get("claims/group.threshold.absolute.67:paper")) == "250 to 450"
    assert str(results.get("claims/group.threshold.absolute.67~permuted")) == "not reached"
    assert str(results.get("twins/singles/all/twins")) == "12"
    assert str(results.get("twins/singles/all/share")) == "0.500 [0.200, 0.800]"


def test_two_rows_of_one_name_are_refused(docs):
    path = docs / "data/study/tiny/tables/twins.csv"
    write_csv(pd.DataFrame(TWINS * 2), path)
    with pytest.raises(ValueError, match="several rows are named 'singles/all/twins'"):
        facts_of(SOURCES["twins"], [docs / "data/study"])


@pytest.mark.parametrize(
    ("check", "holds"),
    [
        ("a/low < a/high", True),
        ("a/high < a/low", False),
        ("a/high > a/low", True),
        ("a/middle > a/low", False),  # they overlap
        ("a/middle ~ a/low", True),
        ("a/high ~ a/low", False),
        ("a/low ~ 0.1", True),
        ("a/low > 0", True),
        ("a/middle <= a/low", True),  # not clearly above
        ("a/high <= a/low", False),
        ("a/low >= a/high", False),
        ("a/never > a/high", True),  # not reached: above all
        ("a/judged is not told apart", True),
        ("a/judged is above null", False),
    ],
)
def test_checks_compare_intervals(check, holds):
    facts = {
        "low": Fact(0.1, 0.05, 0.2),
        "middle": Fact(0.25, 0.15, 0.4),
        "high": Fact(0.8, 0.7, 0.9),
    }
    facts |= {"never": Fact(math.nan), "judged": Fact(0.1, verdict="not told apart")}
    assert (contradiction(check, Results({"a": facts})) == "") == holds


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("a/low is nice", "is no check"),
        ("a/low = 3", "is no check"),
        ("a/low is above null", "has no verdict"),
    ],
)
def test_what_is_no_check_is_refused(check, said):
    with pytest.raises(AnswersError, match=said):
        contradiction(check, Results({"a": {"low": Fact(0.1)}}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"answer": SECTION["answer"][:1]}, "2 sentences"),
        ({"answer": [{"say": "Yes."}, SECTION["answer"][0]]}, "each with `holds`"),
        ({"table": {"columns": [], "rows": dict.fromkeys("1234567", [])}}, "1 to 6 rows"),
    ],
)
def test_the_form_of_an_answer(change, said):
    check_form(SECTION)
    with pytest.raises(AnswersError, match=said):
        check_form(SECTION | change)


def test_the_page_is_as_the_template_and_the_tables_say(tmp_path):
    docs = ROOT / "docs"
    studies = yaml.safe_load((docs / "published.yaml").read_text(encoding="utf-8"))
    content = yaml.safe_load((docs / "answers.template.yaml").read_text(encoding="utf-8"))
    for section in content["sections"]:
        target = tmp_path / f"{section['figure']}.txt"
        target.parent.mkdir(exist_ok=True)
        if (docs / f"{section['figure']}.txt").is_file():
            target.write_bytes((docs / f"{section['figure']}.txt").read_bytes())
    write_answers(docs / "answers.template.yaml", [docs / "data" / s for s in studies], tmp_path)
    page = (tmp_path / "answers.md").read_text(encoding="utf-8")
    assert page == (docs / "answers.md").read_text(encoding="utf-8")


def test_the_template_names_conditions_that_experiments_declare():
    template = yaml.safe_load((ROOT / "docs/answers.template.yaml").read_text(encoding="utf-8"))
    settings = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    declared = normalised(settings)["experiments"]
    sources = {n: s["experiment"] for n, s in template["sources"].items() if "experiment" in s}
    names = {name for section in template["sections"] for name in needed(section)}
    assert set(sources.values()) <= set(declared)
    checked = 0
    for source, experiment in sources.items():
        known = {c for block in conditions(declared[experiment]).values() for c in block}
        sizes = declared[experiment].get("groups", {}).get("sizes", [])
        for name in (n for n in names if n.partition("/")[0] == source):
            parts = name.split("/")
            if "file" not in template["sources"][source]:
                assert parts[1] in known, name
                size = re.fullmatch(r"group (\d+)", parts[2])
                assert size is None or int(size[1]) in sizes, name
                checked += 1
    assert checked > 50
