"""What an experiment says of its optima, against loops over words, contexts and positions."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

import textualization as tx
from paths import DATA
from study.experiments.context_cosines import context_cosines
from study.experiments.context_table import read_contexts
from study.experiments.objectives import ExperimentObjectives
from study.experiments.optima import described
from textualization.models.transformer import Tap
from textualization.optima_arrays import OptimaArrays

REFERENCE = np.arange(20, 120)
LENGTH, PLACE = 3, 2
CHOICE = {"site": "output", "scope": "model", "selection": "absolute"}
CHOICE |= {"activations": "alone", "reading": "word", "basis": "neurons"}
REQUESTED = {
    "singles": {"neurons": 2, "restarts": 3},
    "groups": {"of": "targets", "words": "all", "sizes": [2, 5], "restarts": 2},
    "contexts": {"kinds": ["sense", "phrase", "pattern"], "items": "all", "sizes": [4]},
}


@pytest.fixture(scope="module")
def model():
    return tx.load(DATA / "tiny-deep", device="cpu")


@pytest.fixture(scope="module")
def contexts():
    return read_contexts(DATA / "contexts.tsv")


def cosine(one, other):
    one, other = np.asarray(one, float), np.asarray(other, float)
    return one @ other / np.linalg.norm(one) / np.linalg.norm(other)


def nearest(vector, model):
    """The nearest candidate word: its cosine and its id."""
    e = model.embeddings
    return max((cosine(vector, e[i]), i) for i in np.flatnonzero(model.candidates))


@pytest.fixture(scope="module")
def neurons(model):
    return ExperimentObjectives(model, REFERENCE, [], 7)


@pytest.fixture(scope="module")
def objectives(model, neurons):
    words = ["river", "tiger", "green"]
    targets = pd.DataFrame({"word": words, "id": [model.id_of(word) for word in words]})
    kinds = {kind: REQUESTED[kind] for kind in ("singles", "groups")}
    return neurons.objectives(kinds, targets, CHOICE)


@pytest.fixture(scope="module")
def optima(model, objectives):
    """Random inputs at three positions. Some targets are put at the first, at the second or nowhere."""
    rng = np.random.default_rng(3)
    start, e = rng.normal(size=(2, len(objectives), LENGTH, model.embeddings.shape[1]))
    for row in np.flatnonzero(objectives["target"] >= 0):
        if row % 3 < 2:
            e[row, row % 3] = 2 * model.embeddings[objectives["target"][row]]
    activation = rng.uniform(1, 2, len(objectives))
    return OptimaArrays(
        objectives=objectives.drop(columns="neurons"),
        start=start.reshape(len(e), -1).astype(np.float32),
        embedding=e.reshape(len(e), -1).astype(np.float32),
        activation=activation,
        ceiling=activation + 1,
        largest_entries=np.empty((len(e), 0), int),
        finite=np.ones(len(e), bool),
        dead=np.zeros(len(e), bool),
        taken=np.full(len(e), 20),
        steps=np.array([0, 10, 18, 20]),
        curve=np.stack([activation - 3, activation - 2, activation - 0.5, activation]),
    )


@pytest.fixture(scope="module")
def found(optima, objectives, neurons):
    return described(optima, objectives, neurons, LENGTH, PLACE)


def test_optima_are_compared_with_words_at_every_position(found, optima, objectives, model):
    names = model.words["word"]
    for row, target in enumerate(objectives["target"]):
        positions = optima.embedding[row].reshape(LENGTH, -1)
        near = [nearest(vector, model) for vector in positions]
        own = near.pop(PLACE - 1)
        assert found["nearest_word"][row] == names[own[1]]
        assert found["nearest_cosine"][row] == pytest.approx(own[0], abs=1e-6)
        elsewhere = np.mean([value for value, _ in near])
        assert found["nearest_cosine_elsewhere"][row] == pytest.approx(elsewhere, abs=1e-6)
        everywhere = [names[near[0][1]], names[own[1]], names[near[1][1]]]
        assert found["nearest_everywhere"][row].split() == everywhere
        measures = found.loc[row, ["target_cosine", "recovered", "recovered_elsewhere"]]
        if target < 0:
            assert measures.isna().all()
            continue
        at_target = cosine(positions[PLACE - 1], model.embeddings[target])
        expected = [at_target, own[1] == target, any(i == target for _, i in near)]
        np.testing.assert_allclose(measures.astype(float), np.array(expected, float), atol=1e-6)
    groups = found[objectives["target"] >= 0]
    assert set(groups["recovered"]) == set(groups["recovered_elsewhere"]) == {0, 1}


def test_the_ascent_and_the_restarts_are_described_at_the_position_that_is_read(
    found, optima, objectives, model
):
    read, start = (
        a.reshape(len(a), LENGTH, -1)[:, PLACE - 1] for a in (optima.embedding, optima.start)
    )
    lengths = np.linalg.norm(model.embeddings[np.flatnonzero(model.candidates)], axis=1)
    np.testing.assert_allclose(found["start_activation"], optima.activation - 3)
    np.testing.assert_allclose(found["gain_at_the_end"], 0.5 / optima.activation)
    np.testing.assert_allclose(
        found["share_of_ceiling"], optima.activation / (optima.activation + 1)
    )
    facts = objectives.drop(columns=["neurons", "restart"]).apply(tuple, axis=1).tolist()
    for row, fact in enumerate(facts):
        assert found["turned"][row] == pytest.approx(cosine(read[row], start[row]), abs=1e-6)
        norm = np.linalg.norm(read[row]) / lengths.mean()
        assert found["norm"][row] == pytest.approx(norm, rel=1e-5)
        others = [place for place, other in enumerate(facts) if other == fact and place != row]
        assert len(others) == (2 if objectives["kind"][row] == "single" else 1)
        expected = np.mean([cosine(read[row], read[place]) for place in others])
        assert found["restart_cosine"][row] == pytest.approx(expected, abs=1e-6)


def test_activations_by_words_are_those_of_words_alone(found, optima, objectives, model):
    taps = sorted({Tap(*neuron[:2]) for group in objectives["neurons"] for neuron in group})
    words = np.arange(len(model.words))
    by_word = model.word_activations(words, taps)
    read = optima.embedding.reshape(len(optima), LENGTH, -1)[:, PLACE - 1]
    for row, group in enumerate(objectives["neurons"]):
        mean = np.mean([by_word[Tap(site, layer)][:, i] for site, layer, i in group], axis=0)
        best, target = mean[REFERENCE].max(), objectives["target"][row]
        assert found["best_word_activation"][row] == pytest.approx(best, rel=1e-5)
        share = best / optima.activation[row]
        assert found["utilisation_best_word"][row] == pytest.approx(share, rel=1e-5)
        own = mean[target] if target >= 0 else np.nan
        assert found["word_activation"][row] == pytest.approx(own, rel=1e-4, nan_ok=True)
        near = [cosine(read[row], model.embeddings[word]) for word in REFERENCE]
        expected = np.corrcoef(near, mean[REFERENCE])[0, 1]
        assert found["explanation"][row] == pytest.approx(expected, abs=1e-5)


def test_what_has_one_position_or_one_start_has_nothing_beside_it(objectives, optima, neurons):
    width = optima.embedding.shape[1] // LENGTH
    first = (objectives["restart"] == 0).to_numpy()
    rows = objectives[first].reset_index(drop=True)
    single = OptimaArrays(
        rows.drop(columns="neurons"),
        optima.start[first, :width],
        optima.embedding[first, :width],
        *(getattr(optima, name)[first] for name in ("activation", "ceiling", "largest_entries")),
        *(getattr(optima, name)[first] for name in ("finite", "dead", "taken")),
        optima.steps,
        optima.curve[:, first],
    )
    found = described(single, rows, neurons)
    for column in ("nearest_cosine_elsewhere", "recovered_elsewhere", "restart_cosine"):
        assert found[column].isna().all()
    assert (found["nearest_everywhere"] == found["nearest_word"]).all()
    assert not {"nearest_to", "context_cosine"} & set(found)


def test_optima_of_contexts_are_compared_with_their_sentences(model, contexts):
    rows, inputs, expected = [], [], []
    e, names = model.embeddings, model.words["word"]
    tokens = {}
    for c in contexts:
        of = tokens.setdefault((c.kind, c.item, c.label), ([], []))
        of[0].extend(c.word.split())
        of[1].extend(c.sentence.split())
    mean_of = {
        key: [np.mean([e[model.id_of(w)] for w in of], axis=0) for of in of_key]
        for key, of_key in tokens.items()
    }
    other = {one: b for one, b in permutations(tokens, 2) if one[:2] == b[:2]}
    assert len(other) == len(tokens) - 2  # two phrases, each by itself
    random = np.random.default_rng(5).normal(size=e.shape[1])
    for key, (_, every) in tokens.items():
        foreign = [i for i in np.flatnonzero(model.candidates) if names[i] not in every]
        for vector in (mean_of[key][1], e[model.id_of(every[0])], e[foreign[0]], random):
            rows.append(key)
            inputs.append(3 * vector)
            near = [cosine(vector, mean) for mean in mean_of[key]]
            near.append(cosine(vector, mean_of[other[key]][1]) if key in other else np.nan)
            near.append(max(cosine(vector, e[model.id_of(word)]) for word in every))
            another = max(cosine(vector, e[i]) for i in foreign)
            order = [(near[1], "context"), (near[3], "own word"), (another, "another word")]
            expected.append([*near, max(order)[1]])
    # A word, and an item that no sentence has.
    rows += [("group", "", ""), ("sense", "seven", "colour")]
    inputs += [e[25], e[26]]
    objectives = pd.DataFrame(
        rows, columns=["kind", "item", "label"], index=range(5, 5 + len(rows))
    )
    found = context_cosines(objectives, np.array(inputs), model, contexts)
    assert found.index.equals(objectives.index)
    assert found.iloc[-2:, :4].isna().all(axis=None) and found["nearest_to"].tolist()[-2:] == [
        "",
        "",
    ]
    columns = ["word_cosine", "context_cosine", "other_cosine", "own_word_cosine"]
    assert found.columns.tolist() == [*columns, "nearest_to"]
    np.testing.assert_allclose(
        found[columns][:-2], np.array([row[:4] for row in expected], float), atol=1e-6
    )
    assert found["nearest_to"].tolist()[:-2] == [row[4] for row in expected]
    assert [row[4] for row in expected[:3]] == ["context", "own word", "another word"]


def test_contexts_are_beside_words_where_there_are_some(model, contexts):
    neurons = ExperimentObjectives(model, REFERENCE, contexts, 7)
    rows = neurons.objectives({"contexts": REQUESTED["contexts"]}, None, CHOICE)
    e = np.random.default_rng(1).normal(size=(len(rows), model.embeddings.shape[1]))
    e, ones = e.astype(np.float32), np.ones(len(rows))
    none = np.zeros(len(rows), int)
    optima = OptimaArrays(
        rows.drop(columns="neurons"), e, e, ones, ones, np.empty((len(e), 0), int),
        ones > 0, ones < 0, none, np.array([0]), ones[None],
    )  # fmt: skip
    found = described(optima, rows, neurons)
    pd.testing.assert_frame_equal(
        found[["word_cosine", "context_cosine", "other_cosine", "own_word_cosine", "nearest_to"]],
        context_cosines(rows, e, model, contexts),
    )
    assert set(rows["kind"]) == {"sense", "phrase", "pattern"}
    assert found["word_activation"].isna().all()
