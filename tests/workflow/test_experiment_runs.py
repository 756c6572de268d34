"""The experiments through the Snakefile, on a tiny model; and the one that the docs add."""

import re

import numpy as np
import pandas as pd
import pytest
import yaml

from paths import ROOT
from textualization.analysis.similarity import unit
from textualization.models.model import Model
from textualization.models.transformer import Tap
from workflow import copy_of_the_project, jobs_to_run, snakemake

pytestmark = pytest.mark.campaign

OVERLAYS = ("config/test.yaml", "config/test-questions.yaml")
NAMES = ("parametrisation", "input_length", "robustness", "selection", "contexts", "decomposition")
NAMES += ("explanation", "basis", "text")
PARTS = {
    "parametrisation": ["front"],
    "input_length": ["places"],
    "robustness": ["freezing", "agreement"],
    "selection": ["overlap", "sharing"],
    "contexts": ["nearest", "senses"],
    "decomposition": ["explained", "paths"],
    "explanation": ["peak"],
    "basis": [],
    "text": [],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = copy_of_the_project(tmp_path_factory.mktemp("experiments"))
    snakemake(folder, "--configfile", *OVERLAYS, overlay=None)
    return folder


def results(folder, name, what):
    return folder / "results/test-questions/tiny-deep/experiments" / name / what


def jobs(folder, *words):
    return jobs_to_run(folder, "--configfile", *OVERLAYS, *words, overlay=None)


@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_has_its_answer_figure_and_tables(project, name):
    assert "permuted" in results(project, name, "answer.md").read_text(encoding="utf-8")
    assert results(project, name, "figure.pdf").read_bytes().startswith(b"%PDF")
    assert re.search(r"\d", results(project, name, "figure.txt").read_text(encoding="utf-8"))
    for table in ["numbers", *PARTS[name]]:
        for kind in ("csv", "md", "tex", "html"):
            assert results(project, name, f"{table}.{kind}").stat().st_size > 0
    numbers = pd.read_csv(results(project, name, "numbers.csv"))
    claims = pd.read_csv(project / "results/test-questions/claims.csv")
    assert claims["claim"].str.startswith(f"{name}.").sum() == len(numbers)
    beside = numbers.groupby(["condition", "of", "size", "statistic"])["null_model"].count()
    if name == "robustness":  # null models ascend in some blocks only
        beside = beside[beside.index.get_level_values("condition").str.match("paper|steps|solver")]
    assert (beside > 0).all()  # every number has a null model beside it


def test_the_study_runs_nothing_else(project):
    claims = pd.read_csv(project / "results/test-questions/claims.csv")
    assert set(claims["claim"].str.split(".").str[0]) == set(NAMES)
    assert not list((project / "results/test-questions/tiny-deep").glob("singles*"))
    assert jobs(project) == {}


def test_optima_start_where_the_studys_do_and_are_compared_with_words_by_brute_force(project):
    optima = pd.read_parquet(results(project, "parametrisation", "optima/paper-model.parquet"))
    vocabulary = pd.read_parquet(project / "results/test-questions/tiny-deep/candidates.parquet")
    weights = next((project / "results/_models").glob("tiny-deep-*/frozen.safetensors"))
    from safetensors.numpy import load_file

    words = unit(load_file(weights)["word_embeddings"])
    cosine = unit(np.stack(optima["embedding"])) @ words.T
    cosine[:, ~vocabulary["candidate"].to_numpy()] = -2
    assert optima["nearest_word"].tolist() == vocabulary["word"][cosine.argmax(axis=1)].tolist()
    np.testing.assert_allclose(optima["nearest_cosine"], cosine.max(axis=1), atol=1e-6)
    groups = optima[optima["kind"] == "group"]
    assert (groups["recovered"] == (groups["nearest_word"] == groups["word"])).all()
    assert (optima["activation"] <= optima["ceiling"] * (1 + 1e-6)).all()


def test_no_word_activates_more_than_the_best_of_all(project):
    best = pd.read_parquet(results(project, "parametrisation", "optima/every_word-model.parquet"))
    np.testing.assert_allclose(best["nearest_cosine"], 1, atol=1e-6)
    groups = best[best["kind"] == "group"]
    assert (groups["activation"] >= groups["word_activation"] - 1e-6).all()


def test_positions_are_read_one_by_one(project):
    optima = pd.read_parquet(results(project, "input_length", "optima/two-model.parquet"))
    assert set(optima["place"]) == {1, 2}
    assert set(optima["nearest_everywhere"].str.split().str.len()) == {2}
    for row in optima.itertuples():
        assert row.nearest_everywhere.split()[row.place - 1] == row.nearest_word
    assert optima["embedding"].map(len).unique().tolist() == [32]


def test_differences_are_paired_and_shares_of_the_highest(project):
    numbers = pd.read_csv(results(project, "parametrisation", "numbers.csv"))
    own = numbers[numbers["null_model"].isna() & (numbers["statistic"] == "nearest_cosine")]
    for _, same in own.groupby(["of", "size"]):
        assert same["condition"].iloc[0] == "paper" and np.isnan(same["difference"].iloc[0])
        expected = same["value"] - same["value"].iloc[0]
        np.testing.assert_allclose(same["difference"].iloc[1:], expected.iloc[1:], atol=1e-9)
    shares = numbers[numbers["statistic"] == "activation_share"]["value"]
    assert shares.max() <= 1 and shares.min() > 0


def test_the_position_that_is_read_is_compared_with_activations_by_words_alone(project):
    optima = pd.read_parquet(results(project, "explanation", "optima/two-model.parquet"))
    assert set(optima["length"]) == {2} and set(optima["place"]) == {1}
    words = pd.read_parquet(project / "results/test-questions/tiny-deep/candidates.parquet")
    weights = next((project / "results/_models").glob("tiny-deep-*/frozen.safetensors"))
    model = Model.open(weights, words)
    reference = project / "results/test-questions/tiny-deep/nulls/reference.parquet"
    ids = pd.read_parquet(reference)["id"].to_numpy()
    optima = optima[optima["kind"] == "single"].rename(columns={"index": "neuron"})
    for row in optima.itertuples():
        tap = Tap(row.site, row.layer)
        activations = model.word_activations(ids, [tap])[tap][:, row.neuron]
        e = row.embedding[: len(row.embedding) // 2]
        closeness = unit(model.embeddings[ids]) @ unit(e[None])[0]
        expected = np.corrcoef(closeness, activations)[0, 1]
        assert row.explanation == pytest.approx(expected, abs=1e-4)


def test_rows_of_a_basis_are_read_in_place_of_neurons(project):
    weights = next((project / "results/_models").glob("tiny-deep-*/frozen.safetensors"))
    reference = project / "results/test-questions/tiny-deep/nulls/reference.parquet"
    words = pd.read_parquet(reference.parents[1] / "candidates.parquet")
    model = Model.open(weights, words, dtype="float64")
    ids = pd.read_parquet(reference)["id"].to_numpy()
    optima = pd.read_parquet(results(project, "basis", "optima/principal-model.parquet"))
    assert set(optima["kind"]) == {"single", "leading", "group"} and set(optima["restart"]) == {
        0,
        1,
    }
    for row in optima[optima["kind"] != "group"].rename(columns={"index": "place"}).itertuples():
        tap = Tap("output", row.layer)
        a = model.word_activations(ids, [tap])[tap].astype(float)
        centred = a - a.mean(axis=0)
        component = np.linalg.svd(centred)[2][row.place]
        component *= np.sign(component[np.abs(component).argmax()])
        if row.place == a.shape[1] - 1:  # no variance: no direction that two ways agree on
            continue
        assert row.best_word_activation == pytest.approx((a @ component).max(), abs=1e-4)
        assert row.activation >= row.start_activation
        expected = row.best_word_activation / row.activation if row.activation > 0 else np.nan
        assert row.utilisation_best_word == pytest.approx(expected, nan_ok=True)
    keys = ["kind", "layer", "index", "word", "size"]
    for _, pair in optima.groupby(keys):
        first, second = unit(np.stack(pair["embedding"]))
        np.testing.assert_allclose(pair["restart_cosine"], first @ second, atol=1e-6)
    file = "differences basis=tests/data/features.safetensors"
    of_file = pd.read_parquet(results(project, "basis", "optima/differences-model.parquet"))
    of_file = of_file[(of_file["condition"] == file) & (of_file["kind"] == "single")]
    assert set(of_file["layer"]) == {1, 3}
    numbers = pd.read_csv(results(project, "basis", "numbers.csv"))
    statistics = {"restart_cosine", "utilisation_best_word", "share_of_ceiling"}
    assert statistics < set(numbers["statistic"])
    others = pd.read_csv(results(project, "decomposition", "numbers.csv"))
    assert not statistics & set(others["statistic"])


def test_texts_and_sentences_stand_beside_words_and_optima(project):
    numbers = pd.read_csv(results(project, "text", "numbers.csv"))
    own = (
        numbers[numbers["null_model"].isna()]
        .set_index(["statistic", "of", "condition"])
        .sort_index()
    )
    for of in ("single", "group"):
        shares = own["value"]["share_of_ceiling", of]
        assert shares["optimum"] >= shares.drop("positions").max() - 1e-6
        assert shares["text length=2"] >= shares["best_word"] - 0.05
        top = own["value"]["explanation_top", of]
        assert set(top.index) == {"best_word", "sentence", "text length=2", "text length=3"}
        assert set(own["value"]["explanation_sentences", of].index) == {*top.index, *shares.index}
        assert set(own["value"]["explanation_top_sentences", of].index) == set(top.index)
    found = pd.read_parquet(results(project, "text", "optima/sentence-model.parquet"))
    lines = (project / "tests/data/sentences.txt").read_text(encoding="utf-8").splitlines()
    assert set(found["text"]) <= set(lines[1::2])
    assert (found["nearest_word"] == found["token"])[found["nearest_cosine"] > 0.9999].all()
    corpus = project / "tests/data/sentences.txt"
    before = corpus.read_text(encoding="utf-8")
    try:
        corpus.write_text(before + "tiger\n", encoding="utf-8")
        again = jobs(project)
        # The search in sentences, and what is judged on them, of the model and of its null.
        assert again.pop("ascend_conditions") == again.pop("explain_sentences") == 2
        record = {"write_claims", "write_findings", "provenance", "manifest"}
        assert set(again) == {"split_corpus", "summarise_experiment", "figure_of_text"} | record
    finally:
        corpus.write_text(before, encoding="utf-8")


def test_sentences_are_judged_without_an_ascent_and_only_where_that_is_requested(project):
    path = project / "config/config.yaml"
    before = path.read_text(encoding="utf-8")
    judged = "explanation_top, explanation_sentences, explanation_top_sentences"
    assert len(list((project / "results").rglob("experiments/*/sentences-*.parquet"))) == 2
    try:
        path.write_text(before.replace("held_out_sentences: 2000", "held_out_sentences: 1"))
        found = jobs(project)
        assert found.pop("explain_sentences") == 2
        assert not {"ascend_conditions", "split_corpus"} & set(found)
        path.write_text(before.replace(judged, "explanation_top"))
        found = jobs(project)
        assert {"summarise_experiment", "figure_of_text"} < set(found)
        assert not {"explain_sentences", "ascend_conditions", "split_corpus"} & set(found)
    finally:
        path.write_text(before, encoding="utf-8")


def test_a_changed_value_re_runs_its_block_alone(project):
    path = project / "config/test-questions.yaml"
    before = path.read_text(encoding="utf-8")
    try:
        path.write_text(before.replace("strength: [1.0]", "strength: [2.0]"))
        found = jobs(project)
        # The block, on the model and on the null model, and what is made of the whole experiment.
        assert found.pop("ascend_conditions") == 2 and found.pop("summarise_experiment") == 1
        record = {"write_claims", "write_findings", "provenance", "manifest"}
        assert set(found) == {"figure_of_parametrisation", "pareto_front"} | record
        path.write_text(before.replace("parametrisation, ", "", 1))
        assert set(jobs(project)) == record
    finally:
        path.write_text(before, encoding="utf-8")


def test_the_experiment_of_the_docs_runs(project):
    text = (ROOT / "docs/experiments.md").read_text(encoding="utf-8")
    text = text.split("## Add an experiment")[1]
    settings = re.search(r"```yaml\n(.*?)```", text, re.DOTALL).group(1)
    script = re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1)
    (project / "my-question.yaml").write_text(settings)
    overlays = ["config/test.yaml", "my-question.yaml"]
    refused = snakemake(project, "--configfile", *overlays, overlay=None, fails=True)
    assert "scripts/experiments/figure_starts.py" in refused
    path = project / "scripts/experiments/figure_starts.py"
    path.write_text(script)
    try:
        snakemake(project, "--configfile", *overlays, overlay=None)
    finally:
        path.unlink()
    folder = project / "results/starts/tiny-deep/experiments/starts"
    blocks = yaml.safe_load(settings)["experiments"]["starts"]["vary"]
    numbers = pd.read_csv(folder / "numbers.csv")
    assert set(numbers["block"]) == set(blocks)
    assert (folder / "figure.png").stat().st_size > 0
