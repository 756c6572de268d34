"""What experiments search: words, texts and sentences, against exhaustion and against transformers."""

import inspect

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import pearsonr
from transformers import AutoModel

import textualization as tx
from paths import DATA
from settings import changed, complaints, shipped
from study.config.experiments import conditions, resolved
from study.experiments.optima import with_items
from study.texts.searches import search
from textualization.ascent.protocol import Protocol
from textualization.models.retokenise import Retokeniser

NEURONS = [[("output", 2, 3)], [("intermediate", 3, 30)], [("output", 1, 5), ("output", 3, 2)]]
SENTENCES = DATA / "sentences.txt"


@pytest.fixture(scope="module")
def model():
    return tx.load(DATA / "tiny-deep", device="cpu")


@pytest.fixture(scope="module")
def oracle():
    """The mean activation of neurons at every token of a text's ids, by transformers."""
    whole = AutoModel.from_pretrained(DATA / "tiny-deep", dtype=torch.float64).eval()

    def compute(ids, neurons):
        kept = {}
        hooks = [
            block.intermediate.register_forward_hook(
                lambda *args, layer=layer: kept.__setitem__(layer, args[2])
            )
            for layer, block in enumerate(whole.encoder.layer, start=1)
        ]
        given = torch.tensor([[2, *ids, 3]])
        with torch.no_grad():
            states = whole(input_ids=given, output_hidden_states=True).hidden_states
        for hook in hooks:
            hook.remove()
        parts = [
            (states if site == "output" else kept)[layer][0, 1:-1, index]
            for site, layer, index in neurons
        ]
        return torch.stack(parts).mean(dim=0).numpy()

    return compute


def objectives():
    kinds = ["single", "single", "group"]
    identities = [(kind, place, 0) for place, kind in enumerate(kinds)]
    return pd.DataFrame({"kind": kinds, "neurons": NEURONS, "identity": identities})


def searched(model, condition, corpus=None):
    settings = changed(("corpus", "default"), ("ascent.dtype", "float64"))
    protocol = Protocol(**resolved(condition, settings)["protocol"])
    return search(model, objectives(), protocol, corpus)


def test_a_text_of_one_token_is_the_best_of_all_words_that_are_texts(model):
    texts, items = searched(model, {"solver": "coordinate", "length": 1})
    known = model.words["candidate"].copy()
    alone = Retokeniser(model).alone(np.flatnonzero(known))
    try:
        model.words["candidate"] = model.words.index.isin(alone)
        words, best = searched(model, {"solver": "exhaustive"})
    finally:
        model.words["candidate"] = known
    assert items["token"].tolist() == best["token"].tolist() == best["text"].tolist()
    np.testing.assert_allclose(texts.activation, words.activation, rtol=1e-10)
    np.testing.assert_array_equal(texts.embedding, words.embedding)
    assert (texts.activation <= texts.ceiling).all() and items["text_place"].tolist() == [1, 1, 1]
    assert list(texts.objectives) == ["kind"]


def test_a_texts_activation_is_transformers_own_at_the_token_that_is_read(model, oracle):
    for place in (None, 3):
        condition = {"solver": "coordinate", "length": 3, "steps": 6, "sweeps": 0}
        condition |= {"place": place} if place else {}
        found, items = searched(model, condition)
        for row, neurons in enumerate(NEURONS):
            ids = model.tokenizer.encode(items["text"][row], add_special_tokens=False).ids
            assert ids == items["top_ids"][row].tolist()
            read = oracle(ids, neurons)
            at = items["text_place"][row] - 1
            assert at == (read.argmax() if place is None else place - 1)
            assert found.activation[row] == pytest.approx(read[at], rel=1e-9)
            np.testing.assert_array_equal(found.embedding[row], model.embeddings[ids[at]])


def test_the_best_sentences_activation_is_transformers_own(model, oracle):
    found, items = searched(model, {"solver": "corpus", "top": 4}, SENTENCES)
    texts = SENTENCES.read_text(encoding="utf-8").splitlines()
    read = [model.tokenizer.encode(text, add_special_tokens=False).ids[:6] for text in texts]
    for row, neurons in enumerate(NEURONS):
        values = {
            (tuple(ids), place): value
            for ids in read
            if ids
            for place, value in enumerate(oracle(ids, neurons))
        }
        order = sorted(values, key=values.get, reverse=True)[:4]
        (ids, place), name = order[0], model.words["word"]
        assert found.activation[row] == pytest.approx(values[order[0]], rel=1e-9)
        assert items["text"][row] in texts and items["token"][row] == name[ids[place]]
        assert items["text_place"][row] == place + 1
        assert items["top_ids"][row].tolist() == [ids[place] for ids, place in order]


def test_the_mean_of_top_items_is_judged_on_other_words(model):
    words = np.flatnonzero(model.candidates)[::2]
    _, items = searched(model, {"solver": "exhaustive", "top": 6})
    top, e = list(items["top_ids"]), model.embeddings.astype(float)
    activations = np.random.default_rng(0).normal(size=(len(words), len(NEURONS)))
    table = with_items(items[[]], items, model, words, activations)
    for row, ids in enumerate(top):
        kept = [place for place, word in enumerate(words) if word not in ids]
        assert len(words) - 6 <= len(kept) < len(words)
        mean = e[ids].mean(axis=0)
        near = [e[words[place]] @ mean / np.linalg.norm(e[words[place]]) for place in kept]
        expected = pearsonr(near, activations[kept, row])[0]
        assert table["explanation_top"][row] == pytest.approx(expected, abs=1e-6)
        assert table["top_items"][row].split() == model.words["word"][ids].tolist()


def test_the_settings_of_texts_are_the_librarys_defaults():
    defaults = inspect.signature(tx.ascend_text).parameters
    settings = shipped()["ascent"]["coordinate"]
    assert settings == {name: defaults[name].default for name in settings}
    found = resolved({"solver": "coordinate", "length": 4, "sweeps": 0}, shipped())["protocol"]
    assert found["options"] == settings | {"sweeps": 0}
    assert (found["length"], found["place"]) == (4, None)
    found = resolved({"solver": "exhaustive"}, shipped())["protocol"]
    assert found["options"] == {"top": 10} and found["place"] == 1


def test_the_last_position_is_read_whatever_the_length():
    experiment = {"vary": {"several": {"length": [2, 4], "place": "last"}}}
    found = conditions(experiment)["several"]
    assert {name: one["place"] for name, one in found.items()} == {
        "several length=2": 2,
        "several length=4": 4,
    }


TEXT = {"solver": "coordinate", "length": 2}


@pytest.mark.parametrize(
    ("condition", "changes", "says"),
    [
        (
            {"solver": "corpus"},
            [("corpus", None)],
            "corpus: null; take corpus: default, or the path of a text file",
        ),
        ({"solver": "corpus", "length": 2}, [], "solver corpus, which takes 1; take paper, lbfgs"),
        ({"solver": "coordinate", "length": 9}, [], "solver coordinate; take 1 to 8"),
        (TEXT | {"place": 3}, [], "place 3 of 2 free positions"),
        (TEXT | {"top": 5}, [], "top with solver coordinate, which has no such option"),
        ({"solver": "lbfgs", "sweeps": 1}, [], "sweeps with solver lbfgs, which has no such"),
        (TEXT | {"start": "mean_word"}, [], "solver coordinate, which starts nowhere"),
        (TEXT, [("corpus", None), ("seek", "minimum")], "seek: minimum, which reads texts alone"),
        (
            TEXT,
            [("corpus", None), ("read", "cls")],
            "texts alone, at their highest; take read: word",
        ),
    ],
)
def test_searches_that_cannot_be_are_refused_by_name(condition, changes, says):
    settings = changed(("corpus", "default"), ("run", ["parametrisation"]), *changes)
    settings["experiments"]["parametrisation"]["vary"] = {"paper": {}, "mine": condition}
    found = [line for line in complaints(settings) if says in line]
    assert found and found[0].startswith("experiments.parametrisation.vary.mine: impossible: ")
    assert len(found[0]) < 240
