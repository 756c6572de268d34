"""Discrete ascent: exact for one token, a local optimum where it says so, and reproducible."""

import itertools
import json

import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer

import textualization as tx
from make_tiny_families import FAMILIES, write_family
from paths import DATA
from textualization.ascent.coordinate import TextScore
from textualization.ascent.exhaustive import try_words
from textualization.ascent.objectives import weighted_sums
from textualization.models.language_head import LanguageHead
from textualization.models.retokenise import Retokeniser
from textualization.models.token_activations import TokenPass

FOLDER = DATA / "tiny-deep"
NEURONS = ["output/3/12", "-output/2/5", "intermediate/2/7"]
EXACT = {"dtype": "float64"}


@pytest.fixture(scope="module")
def model():
    return tx.load(FOLDER, device="cpu")


@pytest.fixture(scope="module")
def oracle():
    """Activations of NEURONS by texts (n, t), (n, t, 3), by transformers."""
    whole = transformers.AutoModel.from_pretrained(FOLDER, dtype=torch.float64).eval()
    kept = {}
    whole.encoder.layer[1].intermediate.register_forward_hook(lambda *a: kept.update(inner=a[2]))

    def compute(ids):
        ids = torch.as_tensor(ids)
        ends = (torch.full((len(ids), 1), row) for row in (2, 3))
        first, last = ends
        with torch.no_grad():
            given = torch.cat([first, ids, last], dim=1)
            states = whole(input_ids=given, output_hidden_states=True).hidden_states
        parts = [states[3][..., 12], states[2][..., 5], kept["inner"][..., 7]]
        return torch.stack(parts, dim=-1)[:, 1:-1].numpy()

    return compute


def test_one_token_is_the_best_of_all_candidates(model):
    found = tx.ascend_text(model, NEURONS, tokens=1, **EXACT)
    transformer = model.transformer("float64")
    sums = weighted_sums(
        [[("output", 3, 12)], [("output", 2, 5)], [("intermediate", 2, 7)]], transformer
    )
    signed = sums.signed(torch.tensor([1, -1, 1]))
    alone = Retokeniser(model).alone(np.flatnonzero(model.candidates))
    best = try_words(transformer, signed, torch.from_numpy(alone))
    assert found.ids.tolist() == best.id.tolist()
    np.testing.assert_allclose(found.sign * found.activation, best.activation[:, 0], rtol=1e-10)
    assert (found.swept == 1).all() and found.table()["local_optimum"].all()
    optima = tx.ascend(model, NEURONS, solver="lbfgs", steps=5, **EXACT)
    assert found.text == optima.table()["best_word"].tolist()


@pytest.mark.parametrize("place", [None, 1, 3])
def test_its_values_are_those_of_transformers_and_a_full_sweep_is_a_local_optimum(
    model, oracle, place
):
    found = tx.ascend_text(model, NEURONS, tokens=3, place=place, sweeps=9, candidates=20, **EXACT)
    alone = Retokeniser(model).alone(np.flatnonzero(model.candidates))
    read = oracle(found.ids)
    for row, sign in enumerate((1, -1, 1)):
        values = sign * read[row, :, row]
        at = values.argmax() if place is None else place - 1
        assert found.place[row] == at
        assert found.activation[row] == pytest.approx(sign * values[at], rel=1e-10)
        assert found.swept[row] == 3
        for position in range(3):  # no other word at any position does better
            texts = np.repeat(found.ids[row][None], len(alone), axis=0)
            texts[:, position] = alone
            others = sign * oracle(texts)[..., row]
            others = others.max(axis=1) if place is None else others[:, place - 1]
            assert others.max() <= values[at] + 1e-12
    assert found.table()["token"].tolist() == [
        row[at] for row, at in zip(found.table()["tokens"], found.place, strict=True)
    ]


def test_two_tokens_come_close_to_the_best_of_all_pairs(oracle):
    model = tx.load(FOLDER, device="cpu")
    alone = Retokeniser(model).alone(np.flatnonzero(model.candidates))[::4]
    model.words["candidate"] = model.words.index.isin(alone)
    found = tx.ascend_text(model, NEURONS, tokens=2, sweeps=9, restarts=4, **EXACT)
    pairs = np.array(list(itertools.product(alone, repeat=2)))
    values = np.concatenate([oracle(part) for part in np.array_split(pairs, 9)])
    assert len(pairs) > 3000
    best = [values[..., 0].max(), values[..., 1].min(), values[..., 2].max()]
    share = found.activation / np.array(best)
    assert (share <= 1 + 1e-10).all() and (share > 0.97).all()


def test_an_objective_depends_on_no_other_and_on_the_seed_alone(model):
    options = {"tokens": 3, "candidates": 10, "sweeps": 0, "restarts": 2}
    together = tx.ascend_text(model, NEURONS, groups={"mine": ["output/1/1"]}, **options)
    again = tx.ascend_text(model, NEURONS[::-1], **options)
    assert together.ids[:3].tolist() == again.ids[::-1].tolist()
    assert together.activation[:3].tolist() == again.activation[::-1].tolist()
    seeds = {
        tuple(map(tuple, tx.ascend_text(model, NEURONS, seed=s, steps=0, tokens=3, sweeps=0).ids))
        for s in range(3)
    }
    assert len(seeds) == 3


def test_more_restarts_steps_and_sweeps_reach_no_less(model):
    few = {"tokens": 3, "candidates": 8, "steps": 6, "sweeps": 0, **EXACT}
    base = tx.ascend_text(model, NEURONS, **few)
    start = tx.ascend_text(model, NEURONS, **few | {"steps": 0})
    assert (base.sign * base.activation >= start.sign * start.activation).all()
    for more in ({"restarts": 3}, {"sweeps": 3}):
        found = tx.ascend_text(model, NEURONS, **few | more)
        assert (found.sign * found.activation >= base.sign * base.activation - 1e-12).all()
    swept = tx.ascend_text(model, NEURONS, **few | {"sweeps": 1})
    assert (base.swept == 0).all() and (swept.swept <= 1).all()


@pytest.mark.parametrize("of", FAMILIES)
@pytest.mark.parametrize("whole_words", [True, False])
def test_texts_are_read_as_their_tokens_in_every_family(of, whole_words, tmp_path):
    write_family(tmp_path, of)
    model = tx.load(tmp_path, device="cpu")
    found = tx.ascend_text(
        model, ["output/2/3"], tokens=3, whole_words=whole_words, steps=4, candidates=12, sweeps=0
    )
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert tokenizer.encode(found.text[0], add_special_tokens=False).ids == found.ids[0].tolist()
    words = model.words.iloc[found.ids[0]]
    kinds = {"word"} if whole_words else {"word", "wordpiece"}
    assert set(words["kind"]) <= kinds and (words["candidate"].all() or not whole_words)


def test_a_text_that_is_read_as_other_tokens_is_not_taken(model):
    writing = Retokeniser(model)
    river, piece = model.id_of("river"), int(np.flatnonzero(model.words["word"] == "##ab")[0])
    assert writing.text_of([river, piece]) == "riverab"
    assert writing.text_of([piece, river]) is None
    assert writing.alone(np.array([piece, river, 5])).tolist() == [river]


def test_predictions_are_the_first_order_of_the_score(model):
    """Words a little off the one that stands there: the prediction is their score's own slope."""
    reading = TokenPass(model, "float64")
    objective = weighted_sums([[("output", 3, 12)]], reading.transformer)
    score, ids = TextScore(reading, objective, place=1), torch.tensor([30, 31, 32])
    pool = torch.arange(20, 60)
    own, mean = score.rises(ids, 2, pool)
    words = reading.embeddings(pool)
    for found, at in ((own, reading.embeddings(ids)[2]), (mean, words.mean(dim=0))):
        slopes = []
        for word in words[:6]:
            values = []
            for step in (1e-5, -1e-5):
                inputs = reading.embeddings(ids)[None].clone()
                inputs[0, 2] = at + step * (word - at)
                values.append(score._of(ids[None], inputs).activation.item())
            slopes.append((values[0] - values[1]) / 2e-5)
        rises = found - (found[0] - slopes[0])
        np.testing.assert_allclose(rises[:6], slopes, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("of", ["gpt2", "llama"])
def test_fluency_trades_activation_for_likely_text(of, tmp_path):
    write_family(tmp_path, of)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tie_word_embeddings": True}))
    model = tx.load(tmp_path, device="cpu")
    options = {"tokens": 3, "sweeps": 9, **EXACT}
    plain = tx.ascend_text(model, ["output/2/3"], **options)
    fluent = tx.ascend_text(model, ["output/2/3"], fluency=3.0, **options)
    reading = TokenPass(model, "float64")
    head = LanguageHead(model, reading, 3)
    ids = torch.from_numpy(np.concatenate([plain.ids, fluent.ids]))
    likely = head.mean(ids, reading.embeddings(ids)).numpy()
    assert plain.log_probability is None and "log_probability" not in plain.table()
    assert fluent.table()["log_probability"][0] == pytest.approx(likely[1])
    assert likely[1] > likely[0]
    # Its own text is the better one by what it maximises.
    assert fluent.activation[0] + 3 * likely[1] >= plain.activation[0] + 3 * likely[0]


def test_the_explanation_is_that_of_the_word_that_is_read(model):
    found = tx.ascend_text(model, NEURONS, tokens=2, steps=4, candidates=10, sweeps=0)
    read = found.ids[np.arange(3), found.place]
    np.testing.assert_array_equal(found.embedding, model.embeddings[read])
    optima = tx.ascend(model, NEURONS, start=found.embedding, solver="lbfgs", steps=1)
    assert found.explanation()["explanation"].tolist() == pytest.approx(
        optima.table()["start_explanation"].tolist(), abs=1e-6
    )


def test_what_is_not_allowed_is_named(model):
    for says, options in (
        ("tokens: 0 is not valid .allowed: whole numbers from 1", {"tokens": 0}),
        ("tokens: 7 is not valid .allowed: whole numbers from 1 to 6", {"tokens": 7}),
        ("place: 3 is not valid .allowed: 1 to 2, or None", {"tokens": 2, "place": 3}),
        ("steps: -1 is not valid .allowed: whole numbers from 0", {"steps": -1}),
        ("restarts: 1.5 is not valid", {"restarts": 1.5}),
        ("fluency: nan is not valid", {"fluency": float("nan")}),
        ("fluency: tiny-deep predicts no next token", {"fluency": 1}),
        ("dtype: 'half'", {"dtype": "half"}),
    ):
        with pytest.raises(tx.RequestError, match=says):
            tx.ascend_text(model, NEURONS, **options)
