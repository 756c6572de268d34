"""Whom a sweep asks: neurons of words and of contexts, against transformers' own hidden states."""

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import AutoModel

from asking import Asked, drawn_words, facts_table, words_asked
from conftest import DATA, FRAME
from textualization.contexts import read_contexts
from textualization.freezing import freeze

TARGETS = pd.DataFrame({"word": ["apple", "river", "seven"], "id": [20, 21, 22]})
CHOICE = {"site": "output", "scope": "model", "selection": "absolute"}
CHOICE |= {"activations": "alone", "reading": "word"}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("asked") / "frozen.safetensors"
    tensors, facts = freeze(DATA / "tiny-deep")
    save_file(tensors, path, metadata=facts)
    return path


def asked(weights, draw=0, draws=1):
    tokenizer = DATA / "tiny-deep/tokenizer.json"
    names = Tokenizer.from_file(str(tokenizer)).get_vocab()
    names = sorted(names, key=names.get)
    words = pd.DataFrame({"word": names, "candidate": [i >= 20 for i in range(400)]})
    contexts = read_contexts(DATA / "contexts.tsv")
    reference = np.arange(20, 120)
    return Asked(weights, "word", words, reference, contexts, tokenizer, 7, draw, draws)


def whole():
    return AutoModel.from_pretrained(DATA / "tiny-deep", dtype=torch.float64).eval()


def states(ids):
    """All layers' hidden states of one input, without the special tokens: (tokens, layers · H)."""
    found = whole()(torch.tensor([[FRAME[0], *ids, FRAME[1]]]), output_hidden_states=True)
    return torch.cat([s[0, 1:-1] for s in found.hidden_states[1:]], dim=1).detach().numpy()


@pytest.mark.parametrize("reading", ["word", "pooled"])
def test_contexts_are_read_as_transformers_reads_them(weights, reading):
    of = asked(weights)
    found = of._in_contexts("output", reading)
    for row, context in zip(found, of.contexts, strict=True):
        tokens = context.sentence.split()
        ids = of.tokenizer.encode(context.sentence, add_special_tokens=False).ids
        assert len(ids) == len(tokens)
        every = states(ids)
        own = [i for i, t in enumerate(tokens) if t in context.word.split()]
        expected = every[own] if reading == "word" else every
        np.testing.assert_allclose(row, expected.mean(axis=0), atol=2e-5)


def test_a_words_group_is_its_strongest_neurons_by_brute_force(weights):
    of = asked(weights)
    for scope in ("model", "layer"):
        groups, rows = of.groups(TARGETS, [2, 5], CHOICE | {"scope": scope})
        assert len(groups) == 3 * 2 * (1 if scope == "model" else 3)
        for group, row in zip(groups, rows, strict=True):
            value = states([row["target"]])[0].reshape(3, 16)
            layers = range(3) if scope == "model" else [row["scope_layer"] - 1]
            places = [("output", la + 1, i) for la in layers for i in range(16)]
            places.sort(key=lambda place, v=value: -v[place[1] - 1, place[2]])
            assert group == places[: row["size"]]


def test_relative_selection_is_over_the_reference_words(weights):
    of = asked(weights)
    [group], _ = of.groups(TARGETS[:1], [4], CHOICE | {"selection": "z_score"})
    every = np.stack([states([word])[0] for word in of.reference])
    score = (states([20])[0] - every.mean(axis=0)) / every.std(axis=0)
    expected = [("output", int(p) // 16 + 1, int(p) % 16) for p in np.argsort(-score)[:4]]
    assert group == expected


def test_in_context_a_words_sentences_count_alone(weights):
    of = asked(weights)
    target = pd.DataFrame({"word": ["tiger"], "id": [25]})
    [group], _ = of.groups(target, [6], CHOICE | {"activations": "in_context"})
    own = [p for p, c in enumerate(of.contexts) if c.word == "tiger"]
    mean = of._in_contexts("output", "word")[own].mean(axis=0)
    order = np.argsort(-mean, kind="stable")[:6]
    assert group == [("output", int(p) // 16 + 1, int(p) % 16) for p in order]


def test_contrast_tells_one_label_from_the_other(weights):
    of = asked(weights)
    choice = CHOICE | {"selection": "contrast"}
    groups, rows = of.of_contexts(["sense", "phrase", "pattern"], "all", [3], choice)
    table = facts_table(rows)
    # Phrases have nothing to be set against.
    assert set(table["kind"]) == {"sense", "pattern"} and len(groups) == 2 * 4
    a = of._in_contexts("output", "word")
    for group, row in zip(groups, rows, strict=True):
        label = [c.item == row["item"] and c.label == row["label"] for c in of.contexts]
        other = [c.item == row["item"] and c.label != row["label"] for c in of.contexts]
        score = (a[label].mean(axis=0) - a[other].mean(axis=0)) / a.std(axis=0)
        order = np.argsort(-score, kind="stable")[:3]
        assert group == [("output", int(p) // 16 + 1, int(p) % 16) for p in order]


def test_neurons_words_and_items_are_dealt_to_draws(weights):
    neurons, items = [], []
    for draw in (0, 1):
        of = asked(weights, draw, 2)
        neurons += [group[0] for group in of.singles("output", 4)[0]]
        groups = of.of_contexts(["sense"], "all", [3], CHOICE)[1]
        items.append({row["item"] for row in groups})
    alone = [group[0] for group in asked(weights).singles("output", 4)[0]]
    assert sorted(neurons) == sorted(alone) and len(set(neurons)) == 12
    assert items[0] | items[1] == {"green", "tiger", "river"}


def test_words_are_drawn_by_the_seed_in_their_order():
    drawn = drawn_words(TARGETS, 2, 5)
    assert len(drawn) == 2 and drawn.index.is_monotonic_increasing
    assert drawn.equals(drawn_words(TARGETS, 2, 5)) and drawn_words(TARGETS, "all", 5) is TARGETS


def test_words_of_contexts_are_those_of_senses(weights):
    of = asked(weights)
    groups = {"groups": {"of": "contexts", "words": "all", "sizes": [3]}}
    found = words_asked(groups, TARGETS, of.words, of.contexts, 7)
    assert found["word"].tolist() == ["green", "tiger", "river"]
    assert of.words["word"][found["id"]].tolist() == found["word"].tolist()
