"""Starts that are not drawn: which words they are at, in the study and in experiments."""

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors.torch import save_file

import textualization as tx
from paths import DATA
from scripts.ascent import ascend_singles
from scripts.experiments import ascend_conditions, compare_optima
from settings import changed, complaints
from study.config.experiments import conditions, resolved
from study.starts import at_own_words, at_words, start_words, started
from textualization.ascent.protocol import Execution, Protocol
from textualization.models.architecture import metadata
from textualization.models.bases import basis_rows, read_in
from textualization.models.conversion import convert
from textualization.models.transformer import Tap
from textualization.models.vocabulary import VocabularyError
from textualization.optima_arrays import OptimaArrays
from textualization.report.csv_tables import read_csv
from textualization.report.tables import TableFiles

ONE = [("ascent.singles.restarts", 1), ("ascent.groups.restarts", 1)]


@pytest.fixture(scope="module")
def model():
    return tx.load(DATA / "tiny-deep", device="cpu")


def ids(model, start, missing="stop"):
    return start_words(start, model.lookup, model.candidates, missing).tolist()


def test_words_of_a_start(model):
    river, tiger = model.id_of("river"), model.id_of("tiger")
    assert ids(model, "river") == [river]
    assert ids(model, ["tiger", "river"]) == [tiger, river]
    assert ids(model, ["rivers", "river"], "skip") == [river]
    assert ids(model, ["river", "RIVER"], "skip") == [river]
    with pytest.raises(VocabularyError, match="ascent.start: several words .*'RIVER'"):
        ids(model, ["river", "RIVER"])
    assert ids(model, "mean_word") == np.flatnonzero(model.candidates).tolist()
    for start, missing in (("rivers", "skip"), (["rivers"], "stop"), (["river", "rivers"], "stop")):
        with pytest.raises(VocabularyError, match="ascent.start: .* one entry .*'rivers'"):
            ids(model, start, missing)


def test_own_words_are_targets_or_the_most_activating_of_all(model):
    words = np.flatnonzero(model.candidates)
    neurons = [("output", 2, 3), ("intermediate", 1, 30), ("output", 2, 15)]
    rows = [([n], -1) for n in neurons] + [([neurons[0], neurons[1]], 17)]
    table = at_own_words(pd.DataFrame(rows, columns=["neurons", "target"]), model, words)
    for row, (site, layer, index) in enumerate(neurons):
        activations = model.word_activations(words, [Tap(site, layer)])[Tap(site, layer)][:, index]
        best = max(range(len(words)), key=lambda place, a=activations: a[place])
        np.testing.assert_array_equal(table["start"][row], model.embeddings[words[best]])
    np.testing.assert_array_equal(table["start"][3], model.embeddings[17])
    assert table["target"].tolist() == [-1, -1, -1, 17]


def test_objectives_start_at_the_models_own_embeddings(model, tmp_path):
    pd.DataFrame({"id": [5, 9]}).to_parquet(tmp_path / "start.parquet")
    objectives = pd.DataFrame({"neurons": [[("output", 1, 0)]] * 2})
    found = started(objectives, model, tmp_path / "start.parquet")
    for start in found["start"]:
        np.testing.assert_allclose(
            start, (model.embeddings[5] + model.embeddings[9]) / 2, rtol=1e-6
        )
    assert started(objectives, model, None) is objectives
    pd.testing.assert_frame_equal(found, at_words(objectives, model, np.array([5, 9])))


@pytest.mark.parametrize("start", ["mean_word", "river", ["river", "tiger"]])
def test_a_study_ascends_from_there_as_the_library_does(model, tmp_path, start):
    tensors, facts = convert(DATA / "tiny-deep")
    save_file(tensors, tmp_path / "frozen.safetensors", metadata=metadata(facts))
    pd.DataFrame({"id": ids(model, start)}).to_parquet(tmp_path / "start.parquet")
    options = {"angle": 1.0, "memory": 10, "power": 1.0}
    ascend_singles.main(
        tmp_path / "frozen.safetensors", "output", [2], 0, 16, 3, 1, "all", 8,
        Protocol("lbfgs", 9, options, dtype="float64"), Execution(device="cpu"),
        tmp_path / "optima.safetensors", start=tmp_path / "start.parquet",
    )  # fmt: skip
    found = OptimaArrays.load(tmp_path / "optima.safetensors")
    neurons = [("output", 2, index) for index in found.objectives["index"]]
    library = tx.ascend(
        model, neurons, start=start, solver="lbfgs", steps=9, dtype="float64", **options
    )
    np.testing.assert_allclose(found.embedding, library.embedding, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.activation, library.activation, rtol=1e-9)


@pytest.mark.parametrize("text", ["mean_word", "river", "[river, tiger]"])
def test_equal_restarts_are_refused(text):
    start = ("ascent.start", yaml.safe_load(text))
    found = complaints(changed(start))
    assert [line.split(": ")[0] for line in found] == [
        "ascent.singles.restarts", "ascent.groups.restarts"
    ]  # fmt: skip
    assert all("would be equal (allowed: 1, or ascent.start: random)" in line for line in found)
    assert complaints(changed(start, *ONE)) == []
    # What is not run has no restarts.
    (line,) = complaints(changed(start, ("run", ["singles"])))
    assert line.startswith("ascent.singles.restarts: 3 ascents from ascent.start ")


def varied(**block):
    nulls = {"models": [], "replicates": 1}
    kinds = {"singles": {"neurons": 1}, "nulls": nulls, "reference": "b"}
    return [("run", ["x"]), ("experiments.x", kinds | {"vary": {"b": block}})]


@pytest.mark.parametrize(
    ("block", "says"),
    [
        (
            {"start": "own_words"},
            "start: 'own_words' is not valid (allowed: one of random, mean_word,",
        ),
        (
            {"start": "mean_word", "seed": 3},
            "impossible: seed with start mean_word, which is not drawn",
        ),
        (
            {"start": "own_word", "init_scale": 3},
            "impossible: init_scale with start own_word, which",
        ),
        (
            {"start": "own_word", "solver": "paper", "length": 2},
            "length 2 with start own_word; take",
        ),
        ({"start": "own_word", "solver": "exhaustive"}, "start own_word with solver exhaustive"),
    ],
)
def test_impossible_starts_of_experiments_are_refused(block, says):
    (line,) = complaints(changed(*varied(**block)))
    assert line.startswith("experiments.x.") and says in line


@pytest.mark.parametrize("study", ["random", "mean_word"])
def test_equal_restarts_of_experiments_are_refused(study):
    block = {"start": "own_word"} if study == "random" else {}
    changes = [("ascent.start", study), *ONE, *varied(**block)]
    assert complaints(changed(*changes)) == []
    changes.append(("experiments.x.singles.restarts", 2))
    (line,) = complaints(changed(*changes))
    assert "restarts 2 of singles with a start that is not drawn would be equal; take 1" in line
    changes.append(("experiments.x.vary.b", {"start": "random"}))
    assert complaints(changed(*changes)) == []


def test_own_words_of_a_basis_activate_its_rows_most(model):
    words = np.flatnonzero(model.candidates)
    rows = basis_rows("random", model, "output", words, 3)
    table = pd.DataFrame({"neurons": [[("output", 2, 5)]], "target": [-1]})
    found = at_own_words(table, read_in(model, rows), words)["start"][0]
    along = (
        model.word_activations(words, [Tap("output", 2)])[Tap("output", 2)] @ rows["output", 2][5]
    )
    np.testing.assert_array_equal(found, model.embeddings[words[along.argmax()]])


def test_contexts_have_no_word_of_their_own():
    contexts = {"kinds": ["phrase"], "items": 2, "sizes": [8]}
    nulls = {"models": [], "replicates": 1}
    of = {
        "contexts": contexts,
        "nulls": nulls,
        "reference": "b",
        "vary": {"b": {"start": "own_word"}},
    }
    (line,) = complaints(changed(("run", ["x"]), ("experiments.x", of)))
    assert line.endswith("impossible: start own_word, which contexts do not have")


def test_conditions_say_where_they_start_only_if_it_is_not_drawn():
    assert "start" not in resolved({}, changed())
    assert "start" not in resolved({"start": "random"}, changed())
    assert resolved({"start": "own_word"}, changed())["start"] == "own_word"
    study = changed(("ascent.start", ["river"]))
    assert resolved({}, study)["start"] == "study"
    assert "start" not in resolved({"start": "random"}, study)
    (line,) = complaints(changed(("ascent.start", ["river"]), *varied(solver="paper", length=2)))
    assert "length 2 with start ascent.start ['river']; take random" in line


def test_an_experiment_ascends_from_own_words_and_compares_with_the_reference(model, tmp_path):
    tensors, facts = convert(DATA / "tiny-deep")
    save_file(tensors, tmp_path / "frozen.safetensors", metadata=metadata(facts))
    model.words.to_parquet(tmp_path / "candidates.parquet")
    reference = np.flatnonzero(model.candidates)[::2]
    pd.DataFrame({"id": reference}).to_parquet(tmp_path / "reference.parquet")
    words = ["river", "tiger", "green"]
    targets = pd.DataFrame({"word": words, "id": [model.id_of(word) for word in words]})
    targets.to_parquet(tmp_path / "targets.parquet")
    pd.DataFrame({"id": [model.id_of("apple")]}).to_parquet(tmp_path / "start.parquet")
    nulls = {"models": [], "replicates": 1}
    experiment = {"base": {"steps": 6}, "nulls": nulls, "reference": "paper"}
    experiment["vary"] = {"paper": {}, "start": {"start": ["random", "mean_word", "own_word"]}}
    settings = changed(("ascent.start", "apple"), ("ascent.device", "cpu"))
    paths = []
    for block, found in conditions(experiment).items():
        paths.append(tmp_path / f"{block}-model.parquet")
        ascend_conditions.main(
            [tmp_path / "frozen.safetensors"], tmp_path / "candidates.parquet",
            tmp_path / "reference.parquet", tmp_path / "targets.parquet",
            DATA / "tiny-deep/tokenizer.json", [],
            {name: resolved(one, settings) for name, one in found.items()},
            {"singles": {"neurons": 2}, "groups": {"of": "targets", "words": "all", "sizes": [8]}},
            settings["seed"], [0], "model", Execution(device="cpu"), paths[-1],
            start=tmp_path / "start.parquet",
        )  # fmt: skip
    optima = pd.concat([pd.read_parquet(path) for path in paths])
    by = {name: of.reset_index(drop=True) for name, of in optima.groupby("condition")}
    own, study, mean = by["start start=own_word"], by["paper"], by["start start=mean_word"]
    groups = own["kind"] == "group"
    # The start's activation is that of the group's word, or the highest that words reach.
    start, word = (own[f"{of}_activation"][groups] for of in ("start", "word"))
    np.testing.assert_allclose(start, word, rtol=1e-5)
    for _, row in own[~groups].iterrows():
        tap = Tap(row["site"], row["layer"])
        by_words = model.word_activations(reference, [tap])[tap][:, row["index"]]
        assert row["start_activation"] == pytest.approx(by_words.max(), rel=1e-5)
    np.testing.assert_allclose(own["start_nearest_cosine"], 1, atol=1e-5)
    np.testing.assert_allclose(study["start_nearest_cosine"], 1, atol=1e-5)
    assert (
        mean["start_nearest_cosine"].nunique() == 1 and mean["start_nearest_cosine"].iloc[0] < 0.99
    )
    assert by["start start=random"]["start_nearest_cosine"].max() < 0.99
    table = TableFiles(*(tmp_path / f"agreement.{kind}" for kind in ("csv", "md", "tex", "html")))
    compare_optima.main(paths, table)
    agreement = read_csv(tmp_path / "agreement.csv")
    pairs = agreement[agreement["of"] == "group"][["condition", "other"]].to_numpy().tolist()
    assert ["paper", "start start=own_word"] in pairs and len(pairs) == 6
    assert agreement["cosine"].between(-1, 1).all()
