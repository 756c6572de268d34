"""Objectives of an experiment: neurons of words and of contexts, against transformers' own states."""

import gc
import weakref
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import AutoModel

from paths import DATA
from study.experiments.context_table import read_contexts
from study.experiments.objectives import FACTS, ExperimentObjectives, drawn_words, requested_words
from textualization.models.conversion import convert
from textualization.models.model import Model
from tiny import FRAME

TARGETS = pd.DataFrame({"word": ["apple", "river", "seven"], "id": [20, 21, 22]})
CHOICE = {"site": "output", "scope": "model", "selection": "absolute"}
CHOICE |= {"activations": "alone", "reading": "word", "basis": "neurons"}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("requested") / "frozen.safetensors"
    tensors, facts = convert(DATA / "tiny-deep")
    save_file(tensors, path, metadata=facts)
    return path


def neurons_of(weights, replicate=0, replicates=1, contexts=None):
    tokenizer = Tokenizer.from_file(str(DATA / "tiny-deep/tokenizer.json"))
    names = tokenizer.get_vocab()
    names = sorted(names, key=names.get)
    words = pd.DataFrame({"word": names, "candidate": [i >= 20 for i in range(400)]})
    words["kind"] = ["word" if candidate else "special" for candidate in words["candidate"]]
    model = Model.open(weights, words, tokenizer=tokenizer)
    contexts = contexts or read_contexts(DATA / "contexts.tsv")
    return ExperimentObjectives(model, np.arange(20, 120), contexts, 7, replicate, replicates)


def whole():
    return AutoModel.from_pretrained(DATA / "tiny-deep", dtype=torch.float64).eval()


def states(ids):
    """All layers' hidden states of one input, without the special tokens: (tokens, layers · H)."""
    found = whole()(torch.tensor([[FRAME[0], *ids, FRAME[1]]]), output_hidden_states=True)
    return torch.cat([s[0, 1:-1] for s in found.hidden_states[1:]], dim=1).detach().numpy()


def at(places):
    """The neurons at these columns of all layers' outputs side by side."""
    return [("output", int(p) // 16 + 1, int(p) % 16) for p in places]


@pytest.mark.parametrize("reading", ["word", "pooled"])
def test_contexts_are_read_as_transformers_reads_them(weights, reading):
    of = neurons_of(weights)
    found = of._in_contexts("output", reading)
    for row, context in zip(found, of.contexts, strict=True):
        tokens = context.sentence.split()
        ids = of.model.tokenizer.encode(context.sentence, add_special_tokens=False).ids
        assert len(ids) == len(tokens)
        every = states(ids)
        own = [i for i, t in enumerate(tokens) if t in context.word.split()]
        expected = every[own] if reading == "word" else every
        np.testing.assert_allclose(row, expected.mean(axis=0), atol=2e-5)


def test_a_words_group_is_its_strongest_neurons_by_brute_force(weights):
    of = neurons_of(weights)
    for scope in ("model", "layer"):
        rows = of.groups(TARGETS, [2, 5], CHOICE | {"scope": scope})
        assert len(rows) == 3 * 2 * (1 if scope == "model" else 3)
        for row in rows:
            value = states([row["target"]])[0].reshape(3, 16)
            layers = range(3) if scope == "model" else [row["scope_layer"] - 1]
            places = [("output", la + 1, i) for la in layers for i in range(16)]
            places.sort(key=lambda place, v=value: -v[place[1] - 1, place[2]])
            assert row["neurons"] == places[: row["size"]]


def test_relative_selection_is_over_the_reference_words(weights):
    of = neurons_of(weights)
    [row] = of.groups(TARGETS[:1], [4], CHOICE | {"selection": "z_score"})
    every = np.stack([states([word])[0] for word in of.reference])
    score = (states([20])[0] - every.mean(axis=0)) / every.std(axis=0)
    assert row["neurons"] == at(np.argsort(-score)[:4])


def test_in_context_a_words_sentences_count_alone(weights):
    of = neurons_of(weights)
    target = pd.DataFrame({"word": ["tiger"], "id": [25]})
    [row] = of.groups(target, [6], CHOICE | {"activations": "in_context"})
    own = [p for p, c in enumerate(of.contexts) if c.word == "tiger"]
    mean = of._in_contexts("output", "word")[own].mean(axis=0)
    assert row["neurons"] == at(np.argsort(-mean, kind="stable")[:6])


def test_contrast_tells_one_label_from_the_other(weights):
    of = neurons_of(weights)
    choice = CHOICE | {"selection": "contrast"}
    rows = of.of_contexts(["sense", "phrase", "pattern"], "all", [3], choice)
    # Phrases have nothing to be set against.
    assert {row["kind"] for row in rows} == {"sense", "pattern"} and len(rows) == 2 * 4
    a = of._in_contexts("output", "word")
    for row in rows:
        label = [c.item == row["item"] and c.label == row["label"] for c in of.contexts]
        other = [c.item == row["item"] and c.label != row["label"] for c in of.contexts]
        score = (a[label].mean(axis=0) - a[other].mean(axis=0)) / a.std(axis=0)
        assert row["neurons"] == at(np.argsort(-score, kind="stable")[:3])


def test_neurons_words_and_items_are_dealt_to_replicates(weights):
    neurons, words, items = [], [], []
    for replicate in (0, 1):
        of = neurons_of(weights, replicate, 2)
        neurons += [row["neurons"][0] for row in of.singles("output", 4)]
        words += [row["word"] for row in of.groups(TARGETS, [3], CHOICE)]
        items.append({row["item"] for row in of.of_contexts(["sense"], "all", [3], CHOICE)})
    alone = [row["neurons"][0] for row in neurons_of(weights).singles("output", 4)]
    assert sorted(neurons) == sorted(alone) and len(set(neurons)) == 12
    assert set(words) == set(TARGETS["word"])
    assert items[0] | items[1] == {"green", "tiger", "river"}


def test_the_objectives_of_all_kinds_are_one_table_with_all_columns(weights):
    of = neurons_of(weights)
    requested = {"singles": {"neurons": 2}, "groups": {"of": "targets", "sizes": [3]}}
    requested["contexts"] = {"kinds": ["sense"], "items": 1, "sizes": [4]}
    table = of.objectives(requested, TARGETS, CHOICE)
    assert table.columns.tolist() == [*FACTS, "neurons"]
    assert set(table["kind"]) == {"single", "group", "sense"} and set(table["site"]) == {"output"}
    assert table["neurons"].map(len).tolist() == table["size"].tolist()
    singles = table[table["kind"] == "single"]
    assert singles["neurons"].str[0].tolist() == [
        ("output", row.layer, row.index_)
        for row in singles.rename(columns={"index": "index_"}).itertuples()
    ]
    assert (singles["target"] == -1).all() and (singles["word"] == "").all()
    groups = table[table["kind"] == "group"]
    assert groups["target"].tolist() == TARGETS["id"].tolist() and (groups["index"] == -1).all()
    # What is not requested is not there.
    assert set(of.objectives({"groups": requested["groups"]}, TARGETS, CHOICE)["kind"]) == {"group"}
    assert of.objectives({}, TARGETS, CHOICE).columns.tolist() == [*FACTS, "neurons"]


def test_words_are_drawn_by_the_seed_in_their_order():
    drawn = drawn_words(TARGETS, 2, 5)
    assert len(drawn) == 2 and drawn.index.is_monotonic_increasing
    assert drawn.equals(drawn_words(TARGETS, 2, 5)) and drawn_words(TARGETS, "all", 5) is TARGETS


def test_words_of_contexts_are_those_of_senses(weights):
    of = neurons_of(weights)
    groups = {"groups": {"of": "contexts", "words": "all", "sizes": [3]}}
    found = requested_words(groups, TARGETS, of.model.lookup, of.model.candidates, of.contexts, 7)
    assert found["word"].tolist() == ["green", "tiger", "river"]
    assert of.model.words["word"][found["id"]].tolist() == found["word"].tolist()


def test_words_of_contexts_are_read_as_the_tokenizer_reads_them(weights, caplog):
    of, choice = neurons_of(weights), CHOICE | {"activations": "in_context"}
    spelt = {"green": "Green", "tiger": "tigers", "river": "River"}
    contexts = [replace(c, word=spelt.get(c.word, c.word)) for c in of.contexts]
    other = neurons_of(weights, contexts=contexts)
    groups = {"groups": {"of": "contexts", "words": "all", "sizes": [3]}}
    with caplog.at_level("INFO"):
        lookup, candidates = other.model.lookup, other.model.candidates
        found = requested_words(groups, TARGETS, lookup, candidates, contexts, 7)
    assert found["word"].tolist() == ["green", "river"]
    assert "'Green' is read as 'green'" in caplog.text
    assert "'tigers' is not one candidate word; left out" in caplog.text
    river = TARGETS.iloc[1:2]
    assert other.groups(river, [3], choice) == of.groups(river, [3], choice)


def test_a_basis_takes_the_place_of_neurons(weights):
    of = neurons_of(weights)
    assert of.in_basis("neurons", "output") is of
    read = of.in_basis("principal", "output")
    every = np.stack([states([word])[0] for word in of.reference]).reshape(-1, 3, 16)
    projected = []
    for layer in range(3):
        a = every[:, layer]
        _, _, v = np.linalg.svd(a - a.mean(axis=0))
        v *= np.sign(v[np.arange(16), np.abs(v).argmax(axis=1)])[:, None]
        value = v @ states([20])[0].reshape(3, 16)[layer]
        projected += [(-value[index], ("output", layer + 1, index)) for index in range(15)]
    # Without the last of every layer, which has no variance, and so no direction that two ways agree on.
    expected = [neuron for _, neuron in sorted(projected)][:4]
    [row] = read.groups(TARGETS[:1], [12], CHOICE | {"basis": "principal"})
    assert [neuron for neuron in row["neurons"] if neuron[2] < 15][:4] == expected
    assert expected != of.groups(TARGETS[:1], [4], CHOICE)[0]["neurons"]


def test_leading_components_are_objectives_of_their_own(weights):
    requested = {"singles": {"neurons": 2}}
    for basis, kinds in (("principal", ["single", "leading"]), ("random", ["single"])):
        of = neurons_of(weights).in_basis(basis, "output")
        table = of.objectives(requested, TARGETS, CHOICE | {"basis": basis})
        assert table["kind"].unique().tolist() == kinds
        drawn = table[table["kind"] == "single"]
        plain = neurons_of(weights).objectives(requested, TARGETS, CHOICE)
        assert drawn["neurons"].tolist() == plain["neurons"].tolist()
    of = neurons_of(weights).in_basis("principal", "output")
    leading = of.objectives(requested, TARGETS, CHOICE | {"basis": "principal"})
    leading = leading[leading["kind"] == "leading"]
    assert leading["layer"].tolist() == [1, 1, 2, 2, 3, 3]
    assert leading["index"].tolist() == [0, 1, 0, 1, 0, 1]


def test_every_objective_has_its_restarts_and_one_if_nothing_is_said(weights):
    of = neurons_of(weights)
    requested = {"singles": {"neurons": 2}, "groups": {"of": "targets", "sizes": [3]}}
    once = of.objectives(requested, TARGETS, CHOICE)
    assert set(once["restart"]) == {0}
    requested = {kind: how | {"restarts": 3} for kind, how in requested.items()}
    several = of.objectives(requested, TARGETS, CHOICE)
    assert len(several) == 3 * len(once)
    first = several[several["restart"] == 0].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, once)
    for restart in (1, 2):
        other = several[several["restart"] == restart].reset_index(drop=True)
        pd.testing.assert_frame_equal(other.assign(restart=0), once)


def test_neurons_of_a_basis_with_other_numbers_of_rows(weights):
    of = neurons_of(weights).in_basis(str(DATA / "features.safetensors"), "output")
    table = of.objectives({"singles": {"neurons": 12}}, TARGETS, CHOICE | {"basis": "a file"})
    assert table.groupby("layer").size().to_dict() == {1: 12, 3: 8}
    rows = of.groups(TARGETS[:1], [3], CHOICE | {"scope": "layer"})
    assert [row["scope_layer"] for row in rows] == [1, 3]


def test_a_replicate_is_freed_with_its_model(weights):
    neurons = neurons_of(weights)
    neurons.objectives({"groups": {"sizes": [3]}}, TARGETS, CHOICE | {"selection": "z_score"})
    tiger = pd.DataFrame({"word": ["tiger"], "id": [25]})
    neurons.groups(tiger, [3], CHOICE | {"activations": "in_context"})
    left = [weakref.ref(neurons), weakref.ref(neurons.model)]
    gc.disable()
    try:
        del neurons
        assert [held() for held in left] == [None, None]
    finally:
        gc.enable()
