"""The study on tiny models of six families: nothing fails, everything is there and adds up."""

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors import safe_open

from make_tiny_families import FAMILIES, SPLIT, study_of, write_families
from textualization.models.architecture import Architecture
from workflow import FIGURES, TABLES, copy_of_the_project, snakemake

pytestmark = pytest.mark.campaign

#: One of each kind; every other family differs from one of them in how it is read, which its own
#: tests hold against transformers.
STUDIED = [
    name for name in FAMILIES if name in ("bert", "roberta", "albert", "gpt2", "t5", "llama")
]
MODELS = [f"tiny-{name}" for name in STUDIED]
#: Whose tables and figures are made too: norms after attention, before it, and before it without a mean.
DRAWN = ["tiny-bert", "tiny-gpt2", "tiny-t5"]
PRE = {"tiny-gpt2", "tiny-t5", "tiny-llama"}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The results folder of a finished study of several families."""
    folder = copy_of_the_project(tmp_path_factory.mktemp("project"))
    written = write_families(folder / "models")
    catalogue = {name: written[name] for name in MODELS}
    catalogue["ghost"] = catalogue["tiny-bert"] | {"path": "nowhere", "sha256": "0" * 64}
    catalogue["tiny-llama"]["frame"] = {"before": "</s>", "after": None}
    settings = study_of(catalogue)
    settings["missing"]["models"] = "skip"
    (folder / "families.yaml").write_text(yaml.safe_dump(settings))
    study = "results/families"
    targets = [f"{study}/{name}.md" for name in ("claims", "findings")]
    targets += [f"{study}/comparison/{name}" for name in ("models.pdf", "words.md", "numbers.md")]
    targets += [
        f"{study}/{model}/{kind}"
        for model in DRAWN
        for kind in (
            *(f"tables/{name.removeprefix('table_')}.md" for name in TABLES),
            *(f"figures/{name.removeprefix('figure_')}.pdf" for name in FIGURES),
        )
    ]
    snakemake(folder, "--keep-going", *targets, overlay="families.yaml")
    again = snakemake(folder, "--dry-run", *targets, overlay="families.yaml")
    assert "Nothing to be done" in again
    return folder / "results/families"


def test_a_stated_frame_is_converted(results):
    (frozen,) = results.parent.glob("_models/tiny-llama-*/frozen.safetensors")
    with safe_open(frozen, framework="pt") as file:
        assert Architecture.read(file.metadata()).frame == (2,)


def test_models_have_the_same_tables_and_figures(results):
    names = {
        model: {str(p.relative_to(results / model)) for p in (results / model).glob("[tf]*s/*")}
        for model in DRAWN
    }
    assert len(names["tiny-bert"]) > 50
    for model in DRAWN:
        assert names[model] == names["tiny-bert"]


def test_no_optimum_passes_its_ceiling_and_bare_sums_have_none(results):
    risen = []
    for model in MODELS:
        singles = pd.read_parquet(results / model / "singles.parquet")
        assert len(singles) == 2 * 2 * 4 and singles["finite"].all()
        bare = (singles["site"] == "output") & (singles["layer"] < 3) & (model in PRE)
        assert (singles["ceiling"].isna() == bare).all()
        bounded = singles[~bare]
        assert (bounded["activation"] <= bounded["ceiling"] + 1e-5).all()
        risen.append((singles["activation"] >= singles["start_activation"] - 1e-4).mean())
    # At this rate a tiny model's first step may overshoot; of one family many do, of most none.
    assert np.mean(risen) > 0.85 and np.median(risen) > 0.95


def test_words_in_pieces_are_left_out_and_told(results):
    words = pd.read_csv(results / "comparison/words.csv").set_index("word")
    for name in STUDIED:
        of_model = words[f"tiny-{name}"]
        assert (of_model.drop("tiger") == "one entry").all()
        assert (of_model["tiger"] != "one entry") == (name in SPLIT)
        groups = pd.read_parquet(results / f"tiny-{name}" / "groups.parquet")
        assert set(groups["word"]) == set(words.index) - ({"tiger"} if name in SPLIT else set())
    assert not words.loc["tiger", "in_all_models"] and words["in_all_models"].sum() == 5
    assert len(words.loc["tiger", "tiny-t5"].split()) > 1


def test_the_comparison_says_what_each_models_own_tables_say(results):
    numbers = pd.read_csv(results / "comparison/numbers.csv")
    assert not numbers.duplicated(["quantity", "model"]).any()
    assert numbers.groupby("quantity")["model"].nunique().eq(len(MODELS)).all()
    claims = pd.read_csv(results / "claims.csv")
    own = claims[claims["null_model"].isna()].set_index(["claim", "model"])["value"]
    for row in numbers[numbers["quantity"].isin(claims["claim"])].itertuples():
        np.testing.assert_equal(row.value, own[row.quantity, row.model])
    ceilings = numbers[numbers["quantity"] == "single.share_of_ceiling.intermediate"]
    assert ceilings["value"].between(0, 1.00001).all()
    # Over the words that all have, from the groups alone.
    matched = numbers[numbers["quantity"] == "matched.recovery.absolute.16"].set_index("model")
    for model in MODELS:
        groups = pd.read_parquet(results / model / "groups.parquet")
        chosen = groups[(groups["size"] == 16) & (groups["word"] != "tiger")]
        assert matched.loc[model, "value"] == pytest.approx(chosen["recovered"].mean())
        assert matched.loc[model, "n"] == 5
    thresholds = numbers[numbers["quantity"].str.contains("threshold")].dropna(subset=["value"])
    np.testing.assert_allclose(thresholds["share"], thresholds["value"] / (3 * 16))


def test_the_comparison_names_every_model_and_what_it_is(results):
    models = pd.read_csv(results / "comparison/models.csv").set_index("model")
    assert list(models.index) == [*MODELS, "ghost"]
    assert (models["studied"] == (models.index != "ghost")).all()
    reason = "nowhere has no model.safetensors; a model folder holds"
    assert models.loc["ghost", "missing"].startswith(reason)
    assert f"- ghost: {reason}" in (results / "findings.md").read_text(encoding="utf-8")
    assert "ghost" not in set(pd.read_csv(results / "claims.csv")["model"])
    for model in MODELS:
        assert models.loc[model, "norm"].startswith("pre" if model in PRE else "post")
    assert set(models.index[models["attention"] == "causal"]) == {"tiny-gpt2", "tiny-llama"}
    assert (results / "comparison/models.pdf").read_bytes().startswith(b"%PDF")
