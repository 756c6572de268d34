"""The best tokens of a corpus are those of transformers, sentence by sentence."""

import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer

import textualization as tx
from make_tiny_families import write_family
from paths import DATA
from textualization import sentences as module
from textualization.models.transformer import Tap

FOLDER = DATA / "tiny-deep"
NEURONS = ["output/3/12", "-output/2/5", "intermediate/2/7", "output/1/3"]
CORPUS = [
    "apple river music",
    "",
    "tiger & é 年",
    "   ",
    "bal ban bam bas bal ban bam bas",  # 8 tokens, of which the model has positions for 6
    "river music",
    "apple river music",
    "Apple  RIVER tiger",
    "<b> green",
]


@pytest.fixture(scope="module")
def model():
    return tx.load(FOLDER, device="cpu")


def invented(count, seed=0):
    """Sentences of words of the tiny vocabulary, of different lengths, some twice."""
    random = np.random.default_rng(seed)
    words = ["apple", "river", "tiger", "music", "green", "bal", "ban", "dam", "fel", "gis"]
    return [" ".join(random.choice(words, size=random.integers(1, 7))) for _ in range(count)]


def read_by_transformers(corpus, folder=FOLDER, before=(2,), after=(3,), limit=6):
    """Per sentence with tokens its number, ids, and the activations of NEURONS, (tokens, 4)."""
    whole = transformers.AutoModel.from_pretrained(folder, dtype=torch.float64).eval()
    tokenizer, kept, found = Tokenizer.from_file(str(folder / "tokenizer.json")), {}, []
    block = whole.encoder.layer[1].intermediate
    block.register_forward_hook(lambda *args: kept.update(inner=args[2]))
    for number, text in enumerate(corpus, start=1):
        ids = tokenizer.encode(text, add_special_tokens=False).ids[:limit]
        if not ids:
            continue
        given = torch.tensor([[*before, *ids, *after]])
        with torch.no_grad():
            states = whole(input_ids=given, output_hidden_states=True).hidden_states
        own = slice(len(before), len(before) + len(ids))
        parts = [states[3][0, own, 12], states[2][0, own, 5]]
        parts += [kept["inner"][0, own, 7], states[1][0, own, 3]]
        found.append((number, ids, torch.stack(parts, dim=1).numpy()))
    return found


def listed(read, column, sign, top):
    """(sentence, position, value) of the best tokens, no reading twice, the earlier of equals."""
    rows, known = [], set()
    for number, ids, values in read:
        for place, value in enumerate(values[:, column]):
            if (tuple(ids), place) not in known:
                known.add((tuple(ids), place))
                rows.append((number, place + 1, value))
    return sorted(rows, key=lambda row: -sign * row[2])[:top]


@pytest.mark.parametrize("corpus", [CORPUS, invented(60)])
def test_the_best_tokens_and_the_statistics_are_those_of_transformers(model, corpus):
    read = read_by_transformers(corpus)
    found = tx.best_sentences(model, corpus, NEURONS, top=7, dtype="float64")
    table, summary = found.table(), found.summary()
    everything = np.concatenate([values for _, _, values in read])
    for column, (name, sign) in enumerate(zip(NEURONS, (1, -1, 1, 1), strict=True)):
        expected = listed(read, column, sign, 7)
        rows = table[table["objective"] == name]
        assert list(zip(rows["sentence"], rows["position"], strict=True)) == [
            row[:2] for row in expected
        ]
        np.testing.assert_allclose(rows["activation"], [row[2] for row in expected], rtol=1e-10)
        assert rows["rank"].tolist() == list(range(1, 8)) and (rows["sign"] == sign).all()
        one = summary.iloc[column]
        assert one["activation"] == pytest.approx(expected[0][2], rel=1e-10)
        assert one["mean"] == pytest.approx(everything[:, column].mean(), rel=1e-9)
        for share in (0.5, 0.9, 0.99, 0.999):
            own = np.quantile(everything[:, column], share)
            assert one[f"quantile_{share:g}"] == pytest.approx(own, rel=1e-5, abs=1e-7)
    assert (summary["tokens"] == len(everything)).all()
    assert (summary["quantile_tokens"] == len(everything)).all()
    assert summary["share_of_ceiling"][0] == summary["activation"][0] / summary["ceiling"][0]


def test_what_is_skipped_and_cut_is_counted_and_texts_stay_as_they_are(model):
    found = tx.best_sentences(model, CORPUS, NEURONS, top=100)
    counts = found.counts
    assert (counts.sentences, counts.empty, counts.cut) == (7, 2, 1)
    assert counts.tokens == 3 + 4 + 6 + 2 + 3 + 3 + 4
    table = found.table()
    assert table["position"].max() == 6
    for row in table.itertuples():
        assert row.text == CORPUS[row.sentence - 1]
        assert row.token in ("[UNK]", row.text[row.start : row.end].lower())
    assert set(table["sentence"]) == {1, 3, 5, 6, 8, 9}  # 7 says the same as 1
    assert {"年", "é", "&"} <= set(table["token"])


def test_a_file_and_its_lines_are_the_same_corpus(model, tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text("\n".join(CORPUS) + "\n", encoding="utf-8")
    tables = [
        tx.best_sentences(model, corpus, NEURONS).table()
        for corpus in (path, str(path), CORPUS, tuple(CORPUS), (text for text in CORPUS))
    ]
    assert all(table.equals(tables[0]) for table in tables)


@pytest.mark.parametrize(("batch", "window"), [(1, 1024), (5, 3), (64, 7), (4096, 1)])
def test_neither_batches_nor_windows_change_what_is_found(model, batch, window, monkeypatch):
    corpus = invented(200)
    expected = tx.best_sentences(model, corpus, NEURONS, dtype="float64")
    monkeypatch.setattr(module, "WINDOW", window)
    found = tx.best_sentences(model, corpus, NEURONS, dtype="float64", batch=batch)
    same = ["objective", "rank", "sentence", "position", "text"]
    assert found.table()[same].equals(expected.table()[same])
    np.testing.assert_allclose(found.table()["activation"], expected.table()["activation"])
    np.testing.assert_allclose(found.summary()["mean"], expected.summary()["mean"])
    np.testing.assert_allclose(found.summary()["quantile_0.9"], expected.summary()["quantile_0.9"])


def test_quantiles_of_a_large_corpus_are_those_of_a_sample_that_says_its_size(model, monkeypatch):
    corpus = invented(300)
    exact = tx.best_sentences(model, corpus, NEURONS).summary()
    monkeypatch.setattr(module, "KEPT", 4 * 200)
    found = [
        tx.best_sentences(model, corpus, NEURONS, batch=batch, seed=3).summary()
        for batch in (7, 4096)
    ]
    assert (found[0]["quantile_tokens"] == 200).all() and (found[0]["tokens"] > 900).all()
    np.testing.assert_allclose(found[0]["quantile_0.9"], found[1]["quantile_0.9"], rtol=1e-4)
    # The rank of the sample's quantile has a standard error of √(0.9·0.1/200), 0.021.
    assert (found[0]["quantile_0.9"] < exact["quantile_0.99"]).all()
    assert (found[0]["quantile_0.9"] > exact["quantile_0.5"]).all()
    assert found[0]["activation"].to_numpy() == pytest.approx(exact["activation"], rel=1e-5)


def test_groups_directions_and_signs_are_sums_of_their_neurons(model):
    vector = np.linspace(-1, 2, 16)
    found = tx.best_sentences(
        model,
        invented(50),
        groups={"mine": ["output/3/12", "output/1/3"]},
        directions={"probe": ("output", 2, vector)},
        sign=-1,
        top=2,
        dtype="float64",
    )
    read = read_by_transformers(invented(50))
    lowest = min((values[:, 0] + values[:, 3]).min() / 2 for _, _, values in read)
    assert found.activation[0] == pytest.approx(lowest, rel=1e-10)
    assert found.summary()["share_of_ceiling"].isna().all()
    assert found.summary()["share_of_floor"][1] == pytest.approx(
        found.activation[1] / found.floor[1]
    )
    words = tx.best_sentences(model, ["river"], directions={"probe": ("output", 2, vector)})
    ids = [model.id_of("river")]
    alone = model.word_activations(ids, [Tap("output", 2)])["output", 2][0] @ vector
    assert words.activation[0] == pytest.approx(alone, rel=1e-4)


def test_in_a_causal_model_the_same_beginning_is_read_once(tmp_path):
    write_family(tmp_path, "gpt2")
    model = tx.load(tmp_path, device="cpu")
    corpus = [" apple river", " apple river seven", " apple"]
    found = tx.best_sentences(model, corpus, ["output/3/1"], top=20)
    assert found.counts.tokens == 6
    table = found.table()
    assert sorted(zip(table["sentence"], table["position"], strict=True)) == [
        (1, 1), (1, 2), (2, 3),
    ]  # fmt: skip


def test_the_share_of_an_optimum_is_that_of_its_best_restart(model):
    few = {"solver": "lbfgs", "steps": 15, "dtype": "float64"}
    optima = tx.ascend(model, NEURONS[::-1], restarts=3, **few)
    found = tx.best_sentences(model, invented(40), NEURONS, dtype="float64")
    summary = found.summary(optima)
    table = optima.table()
    for row in summary.itertuples():
        own = table[table["objective"] == row.objective]["activation"]
        best = own.max() if row.sign > 0 else own.min()
        assert row.optimum == best
        assert row.utilisation_best_token == pytest.approx(row.activation / best)
        assert row.utilisation_best_token > 0
    with pytest.raises(tx.RequestError, match="optima: none is of 'output/1/1' with sign 1"):
        tx.best_sentences(model, invented(4), ["output/1/1"]).summary(optima)


def test_the_explanation_is_that_of_the_mean_embedding_of_the_tokens(model):
    found = tx.best_sentences(model, invented(40), NEURONS, top=4)
    table = found.table()
    e = model.embeddings
    for place, name in enumerate(NEURONS):
        ids = [model.id_of(token) for token in table[table["objective"] == name]["token"]]
        np.testing.assert_allclose(found.embedding[place], e[ids].mean(axis=0), rtol=1e-6)
    words = np.flatnonzero(model.candidates)
    activations = model.word_activations(words, [Tap("output", 3)])["output", 3][:, 12]
    mean = found.embedding[0]
    cosine = e[words] @ mean / np.linalg.norm(e[words], axis=1) / np.linalg.norm(mean)
    expected = np.corrcoef(cosine, activations)[0, 1]
    assert found.explanation()["explanation"][0] == pytest.approx(expected, abs=1e-5)


def test_what_is_not_allowed_is_named(model, tmp_path):
    corpus = ["river"]
    for says, options in (
        ("top: 0 is not valid", {"top": 0}),
        ("batch: 'x' is not valid", {"batch": "x"}),
        ("quantiles: 2 is not valid .allowed: numbers from 0 to 1", {"quantiles": [2]}),
        ("dtype: 'half'", {"dtype": "half"}),
        ("sign: 2 is not valid", {"sign": 2}),
    ):
        with pytest.raises(tx.RequestError, match=says):
            tx.best_sentences(model, corpus, NEURONS, **options)
    with pytest.raises(tx.RequestError, match="name at least one neuron"):
        tx.best_sentences(model, corpus)
    with pytest.raises(tx.RequestError, match="corpus: it has no token"):
        tx.best_sentences(model, ["", " "], NEURONS)
    cls = tx.load(FOLDER, device="cpu", read="cls")
    with pytest.raises(tx.RequestError, match="read: .* read at 'cls'"):
        tx.best_sentences(cls, corpus, NEURONS)
    within = tx.load(FOLDER, device="cpu", context="green {}")
    with pytest.raises(tx.RequestError, match="context: .* loaded without context"):
        tx.best_sentences(within, corpus, NEURONS)
