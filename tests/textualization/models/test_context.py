"""A sentence around x is read as the tokenizer reads it with a word in place of x."""

import numpy as np
import pandas as pd
import pytest
import torch
import transformers

import textualization as tx
from make_tiny_families import FAMILIES, write_family
from textualization.ascent.protocol import Execution, Protocol, ascend_objectives
from textualization.models.transformer import Tap


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("families")
    for name in FAMILIES:
        write_family(root / name, name)
    return root


def in_context(folders, name, text, **options):
    return tx.load(folders / name, context=text, device="cpu", **options)


@pytest.mark.parametrize("text", ["the {} bol the", "{} bol", "bol dol {}", "the {} bol {} dol"])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_word_in_a_sentence_activates_as_the_whole_sentence_does(name, text, folders):
    """The oracle: transformers on the ids of the sentence, the special tokens put around it."""
    model = in_context(folders, name, text)
    made = transformers.T5EncoderModel if name == "t5" else transformers.AutoModel
    whole = made.from_pretrained(folders / name).eval()
    blank = " " if name in ("roberta", "gpt2", "modernbert") and text.startswith("{}") else ""
    words = [w for w in ("fal", "bal", "lel", "apple", "app") if w in set(model.words["word"])]
    a = model.architecture
    assert words
    for word in words[:3]:
        ids = model.tokenizer.encode(blank + text.replace("{}", word), add_special_tokens=False).ids
        assert ids.count(model.id_of(word)) == text.count("{}")
        place = ids.index(model.id_of(word)) + (a.before >= 0)
        ids = [i for i in (a.before, *ids, a.after) if i >= 0]
        with torch.inference_mode():
            states = whole(input_ids=torch.tensor([ids]), output_hidden_states=True).hidden_states
        inputs = torch.tensor(model.embeddings[[model.id_of(word)]]).tile(1, model.places)
        for layer in (1, 2):
            tap = Tap("output", layer)
            found = model.transformer().activations(inputs, [tap])[tap]
            torch.testing.assert_close(found[0], states[layer][0, place], rtol=1e-4, atol=1e-5)
            if model.places == 1:
                own = model.word_activations([model.id_of(word)], [tap])[tap]
                np.testing.assert_allclose(own, found, rtol=1e-6)


def test_the_sentence_may_hold_the_word_that_is_tried(folders):
    model = in_context(folders, "bert", "apple apple {} apple")
    apple = model.id_of("apple")
    assert model.context.tokens == (apple, apple, None, apple)
    assert model.context.text == "apple apple {} apple" and "apple {}" in repr(model)


def test_x_alone_in_its_sentence_is_the_usual_frame(folders):
    plain, alone = tx.load(folders / "bert", device="cpu"), in_context(folders, "bert", "{}")
    assert alone.context.tokens == (None,)
    one, other = (tx.ascend(m, ["output/2/3"], steps=8, rate=1.0).embedding for m in (plain, alone))
    assert np.array_equal(one, other)


@pytest.mark.parametrize(
    "name, text, says",
    [
        ("bert", "the cat", "'the cat' has no place for x .allowed: a sentence with {}"),
        ("bert", 3, "3 has no place for x"),
        ("bert", "the{}", "with '.*' in place of {}, 'the{}' is read as .*leave a blank"),
        ("gpt2", "the a{}", "leave a blank"),
        ("gpt2", "({})", "'\\(', which the vocabulary lacks"),
        ("bert", "the {}.", "has a part that the vocabulary lacks: it is read as the .UNK."),
        ("t5", "the {}.", "has a part that the vocabulary lacks"),
        ("roberta", "the {} \N{SNOWMAN}", "has '\N{SNOWMAN}', which the vocabulary lacks"),
        ("bert", "[SEP] {}", "has the special token '.SEP.' .allowed: ordinary text"),
        ("bert", "the {}" + 9 * " bol", "1 free and 12 fixed positions make 13 tokens .*for 12"),
        ("t5", "the {}" + 70 * " bol", "tokens .this model has positions for 64"),
    ],
)
def test_what_cannot_stand_around_x_is_refused(name, text, says, folders):
    with pytest.raises(tx.RequestError, match=says):
        in_context(folders, name, text)


def test_a_place_that_the_sentence_lacks_is_refused(folders):
    with pytest.raises(tx.RequestError, match="place: 3 is not one of the 2 free positions"):
        in_context(folders, "bert", "{} bol {}", place=3)


@pytest.mark.parametrize("name", ["bert", "gpt2"])
def test_ascent_and_everything_about_words_take_place_in_the_sentence(name, folders):
    text = "bol {} dol"
    model, plain = in_context(folders, name, text), tx.load(folders / name, device="cpu")
    fresh = in_context(folders, name, text)
    (row,) = tx.ascend(model, ["output/2/3"], steps=8, rate=1.0).table().to_dict("records")
    by_words = fresh.word_activations(np.flatnonzero(fresh.candidates), [Tap("output", 2)])
    a = by_words[Tap("output", 2)][:, 3]
    assert row["best_word"] == fresh.words["word"][np.flatnonzero(fresh.candidates)[a.argmax()]]
    assert row["utilisation_best_word"] == pytest.approx(a.max() / row["activation"], rel=1e-5)
    alone = plain.word_activations(np.flatnonzero(plain.candidates), [Tap("output", 2)])
    assert np.abs(alone[Tap("output", 2)][:, 3] - a).max() > 1e-3
    assert row["activation"] > 0 and not tx.explain(model, ["output/2/3"]).arrays.dead.any()
    assert model.neurons_of("bol", 5) != plain.neurons_of("bol", 5)


def test_optima_of_several_x_have_words_for_each_and_the_one_that_is_read_first(folders):
    model = in_context(folders, "bert", "the {} bol the {}", place=2)
    groups = {"bal": [("output", 2, 3), ("output", 3, 4)]}
    optima = tx.ascend(model, ["output/2/3"], groups, steps=8, rate=1.0, restarts=2)
    size = model.embeddings.shape[1]
    assert optima.embedding.shape == (4, 2 * size)
    lengths = np.linalg.norm(model.embeddings, axis=1, keepdims=True)
    unit = model.embeddings / np.where(lengths > 0, lengths, 1)
    unit[~model.candidates] = 0
    nearest = optima.nearest_words(3)
    assert nearest["place"].tolist() == 4 * [2, 2, 2, 1, 1, 1]
    for row in range(4):
        for half, place in enumerate((2, 1)):
            x = optima.embedding[row, (place - 1) * size : place * size]
            best = model.words["word"][(unit @ x).argmax()]
            assert nearest["word"][6 * row + 3 * half] == best
    table = optima.table()
    assert table["nearest_word"].tolist() == nearest["word"][::6].tolist()
    assert "explanation" not in table and "best_word" not in table
    assert {"ceiling", "share_of_ceiling", "target_rank", "recovered"} <= set(table)
    assert (table["activation"] <= table["ceiling"]).all()


def test_starts_of_several_x_and_what_they_cannot(folders):
    model = in_context(folders, "bert", "{} bol {}")
    size = model.embeddings.shape[1]
    one = tx.ascend(model, ["output/2/3"], steps=4, rate=1.0, start="bal")
    e = np.tile(model.embeddings[model.id_of("bal")], 2)
    np.testing.assert_allclose(one.arrays.start[0], e, rtol=1e-6)
    again = tx.ascend(model, ["output/2/3"], steps=4, rate=1.0, start=one)
    assert again.arrays.curve[0, 0] == pytest.approx(one.activation[0], rel=1e-5)
    with pytest.raises(tx.RequestError, match=f"start: .*{2 * size}"):
        tx.ascend(model, ["output/2/3"], start=np.ones(3 * size))
    with pytest.raises(
        tx.RequestError, match="solver: adam moves one x, .* has 2 places .*: paper, lbfgs"
    ):
        tx.ascend(model, ["output/2/3"], solver="adam")
    for refused in (
        lambda: tx.explain(model, ["output/2/3"]),
        lambda: model.word_activations([5], [Tap("output", 1)]),
        lambda: model.neurons_of("bal", 5),
        lambda: tx.principal_components(model, 2, 1),
    ):
        with pytest.raises(tx.RequestError, match="has 2 places for x; .* known with one"):
            refused()


def test_two_adjacent_x_are_the_length_two_of_a_protocol(folders):
    table = pd.DataFrame({"neurons": [[("output", 2, 3)]], "identity": [("single", 1)]})
    how = {"steps": 8, "options": {"rate": 1.0}, "entries": 0}
    found = []
    for model, length in (
        (in_context(folders, "bert", "{} {}"), 1),
        (tx.load(folders / "bert"), 2),
    ):
        protocol = Protocol(**how, length=length)
        found.append(ascend_objectives(model, table, protocol, Execution(device="cpu")))
    assert np.array_equal(found[0].embedding, found[1].embedding)
