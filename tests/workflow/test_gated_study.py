"""A study of neurons inside feed-forward layers: claims on gated ones give both explanations."""

import pandas as pd
import pytest
import yaml

from make_tiny_families import study_of, write_family
from workflow import copy_of_the_project, snakemake

pytestmark = pytest.mark.campaign

NULLS = {"untrained", "start", "random_word", "random_direction", "embedding_covariance"}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The results folder of a study of a gated and a plain model."""
    folder = copy_of_the_project(tmp_path_factory.mktemp("project"))
    catalogue = {f"tiny-{n}": write_family(folder / f"models/{n}", n) for n in ("llama", "roberta")}
    catalogue["tiny-llama"]["precision"] = "4-bit weights"
    settings = study_of(catalogue, "gated")
    settings["singles"]["sites"] = settings["groups"]["sites"] = ["intermediate"]
    settings["ascent"]["twins"] = {"singles": 1, "groups": 1}
    (folder / "gated.yaml").write_text(yaml.safe_dump(settings))
    targets = ("results/gated/findings.md", "results/gated/comparison/numbers.md")
    snakemake(folder, *targets, overlay="gated.yaml")
    return folder / "results/gated"


def test_claims_on_gated_neurons_alone_give_the_unsigned_measure(results):
    claims = pd.read_csv(results / "claims.csv")
    unsigned = claims[claims["claim"].str.contains("unsigned")]
    assert set(unsigned["model"]) == {"tiny-llama"}
    names = {"single.explanation_unsigned"}
    names |= {f"group.explanation_unsigned.absolute.{size}" for size in (4, 16)}
    assert set(unsigned["claim"]) == names
    own = unsigned[unsigned["null_model"].isna()].set_index("claim")
    assert own["value"].between(own["ci_low"], own["ci_high"]).all()
    assert own["twin_change"].notna().all()
    singles = pd.read_parquet(results / "tiny-llama/singles.parquet")
    assert own.loc["single.explanation_unsigned", "value"] == pytest.approx(
        singles["explanation_unsigned"].mean()
    )
    groups = pd.read_parquet(results / "tiny-llama/groups.parquet")
    value = groups.loc[groups["size"] == 16, "explanation_unsigned"].mean()
    assert own.loc["group.explanation_unsigned.absolute.16", "value"] == pytest.approx(value)


def test_they_stand_beside_the_nulls_of_the_plain_ones(results):
    claims = pd.read_csv(results / "claims.csv")
    nulls = claims[claims["model"] == "tiny-llama"].dropna(subset="null_model").set_index("claim")
    assert set(nulls.loc["single.explanation_unsigned", "null_model"]) == NULLS
    assert nulls.loc["group.explanation_unsigned.absolute.16", "null_model"] == "untrained"
    start = nulls[nulls["null_model"] == "start"].loc["single.explanation_unsigned"]
    singles = pd.read_parquet(results / "tiny-llama/singles.parquet")
    assert start["null_value"] == pytest.approx(singles["start_explanation_unsigned"].mean())
    assert "gated" in (results / "findings.md").read_text(encoding="utf-8")


def test_claims_name_the_precision_of_the_weights(results):
    text = (results / "claims.md").read_text(encoding="utf-8")
    assert "| tiny-llama (4-bit weights) |" in text and "| tiny-roberta |" in text
    claims = pd.read_csv(results / "claims.csv").dropna(subset="protocol")
    stated = claims["protocol"].str.endswith("; 4-bit weights")
    assert (stated == (claims["model"] == "tiny-llama")).all()
    assert set(pd.read_csv(results / "comparison/numbers.csv")["model"]) == {
        "tiny-llama",
        "tiny-roberta",
    }
