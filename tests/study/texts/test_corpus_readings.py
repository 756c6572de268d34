"""What a study reads in sentences and short texts, against transformers, token by token."""

import functools
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer

import textualization as tx
from paths import DATA
from scripts.sentences import null_model_sentences, read_corpus
from study.asked import sentences
from study.asked.sentences import sentences_now
from study.objective_names import names_of
from study.studied_objectives import studied_objectives
from study.texts.corpus_readings import QUANTILES, best_in, drawn_sentences, open_for_texts
from study.texts.studied_texts import COLUMNS, texts_of
from textualization.models.conversion import convert

FOLDER = DATA / "tiny-deep"
CORPUS = [
    "apple river music",
    "",
    "tiger & é 年",
    "bal ban bam bas bal ban bam bas",  # the model has positions for 6 of the 8 tokens
    "<b>green</b>",  # likewise
    "Apple  RIVER tiger",
]
SINGLES = {"seed": 3, "widths": {"output": 16}, "layers": [1, 3], "neurons": 2}
READING = {"read": "word", "seek": "maximum", "dtype": "float64"}
LOWEST = READING | {"seek": "minimum"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A study's files: weights, words, corpus, rankings of two words, a set of directions."""
    folder = tmp_path_factory.mktemp("study")
    tensors, facts = convert(FOLDER)
    save_file(tensors, folder / "frozen.safetensors", metadata=facts)
    tx.load(FOLDER, device="cpu").words.to_parquet(folder / "candidates.parquet")
    (folder / "corpus.txt").write_text("\n".join(CORPUS), encoding="utf-8")
    targets = pd.DataFrame({"word": ["apple", "a/b"], "id": [20, 21]})
    targets.to_parquet(folder / "targets.parquet")
    rng = np.random.default_rng(0)
    rows = [
        {"word": word, "scope_layer": 0, "rank": rank, "site": "output", "index": int(index)}
        | {"layer": int(rng.integers(1, 4))}
        for word in targets["word"]
        for rank, index in enumerate(rng.permutation(16)[:4], start=1)
    ]
    pd.DataFrame(rows).to_parquet(folder / "absolute-model.parquet")
    vector = rng.standard_normal(16)
    made = {"name": "set/2/a", "site": "output", "layer": 2, "vector": [vector / 3]}
    pd.DataFrame(made).to_parquet(folder / "set.parquet")
    return folder


@pytest.fixture(scope="module")
def objectives(files):
    return studied_objectives(
        SINGLES,
        [files / "absolute-model.parquet"],
        files / "targets.parquet",
        {"model": [1, 3]},
        [files / "set.parquet"],
    )


@pytest.fixture(scope="module")
def states():
    """Of every sentence with tokens: its line, and the output of every layer at its tokens."""
    return {line: read(text) for line, text in enumerate(CORPUS, start=1) if text}


@functools.cache
def by_transformers():
    return transformers.AutoModel.from_pretrained(FOLDER, dtype=torch.float64).eval()


def read(text):
    """Read a text: the input of the first block and the outputs of all, (1 + layers, tokens, H)."""
    tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    ids = tokenizer.encode(text, add_special_tokens=False).ids[:6]
    with torch.no_grad():
        found = by_transformers()(input_ids=torch.tensor([[2, *ids, 3]]), output_hidden_states=True)
    return np.stack([state[0, 1:-1].numpy() for state in found.hidden_states])


def activations(neurons, found):
    """An objective at every token, (tokens,)."""
    if isinstance(neurons, dict):
        return sum(found[layer] @ vector for (_, layer), vector in neurons.items())
    return np.mean([found[layer][:, index] for _, layer, index in neurons], axis=0)


def model_of(files, reading):
    words = pd.read_parquet(files / "candidates.parquet")
    return open_for_texts(
        files / "frozen.safetensors", reading, FOLDER / "tokenizer.json", words, "cpu"
    )


def test_objectives_are_named_as_in_the_tables_of_their_optima(objectives, files):
    names = objectives.groupby("kind")["objective"].agg(list)
    assert len(names["singles"]) == 4
    assert all(name.split("/")[0] == "output" for name in names["singles"])
    found = [f"absolute/model/0/{size}/{word}" for size in (1, 3) for word in ("apple", "a/b")]
    assert names["groups"] == found and names["directions"] == ["set/2/a"]
    table = {"selection": "absolute", "scope": "model", "scope_layer": 0, "size": 3, "word": "a/b"}
    assert names_of("groups", pd.DataFrame([table])).tolist() == [found[-1]]
    ranking = pd.read_parquet(files / "absolute-model.parquet").query("word == 'a/b'").iloc[:3]
    own = objectives.set_index("objective")["neurons"]
    expected = list(ranking[["site", "layer", "index"]].itertuples(index=False, name=None))
    assert own[found[-1]] == expected
    assert len(studied_objectives()) == 0


@pytest.mark.parametrize("reading", [READING, LOWEST], ids=["maximum", "minimum"])
def test_the_best_tokens_and_their_quantiles_are_transformers(files, objectives, states, reading):
    sign = 1 if reading is READING else -1
    model = model_of(files, reading)
    tokens, summary = best_in(model, files / "corpus.txt", objectives, reading, 0, top=3)
    assert (summary["tokens"] == sum(layers.shape[1] for layers in states.values())).all()
    assert (summary["sentences"] == len(states)).all() and (summary["cut"] == 2).all()
    for of, found in zip(objectives.itertuples(), summary.itertuples(), strict=True):
        values = {
            (line, place): sign * value
            for line, layers in states.items()
            for place, value in enumerate(activations(of.neurons, layers), start=1)
        }
        highest = sorted(values, key=values.get, reverse=True)[:3]
        own = tokens[(tokens["kind"] == of.kind) & (tokens["objective"] == of.objective)]
        assert list(zip(own["sentence"], own["position"], strict=True)) == highest
        expected = [values[key] for key in highest]
        np.testing.assert_allclose(own["activation"], expected, rtol=1e-6)
        assert found.activation == pytest.approx(expected[0], rel=1e-6)
        assert found.mean == pytest.approx(np.mean(list(values.values())), abs=1e-6)
        quantiles = [getattr(summary.loc[found.Index], f"quantile_{q:g}") for q in QUANTILES]
        np.testing.assert_allclose(
            quantiles, np.quantile(list(values.values()), QUANTILES), rtol=1e-5, atol=1e-6
        )
    assert all(CORPUS[row.sentence - 1] == row.text for row in tokens.itertuples())


def test_sentences_are_drawn_by_the_seed_in_their_order_and_without_empty_ones(tmp_path):
    lines = [f"sentence {number}" if number % 3 else " " for number in range(60)]
    (tmp_path / "c.txt").write_text("\n".join(lines), encoding="utf-8")
    drawn = drawn_sentences(tmp_path / "c.txt", 10, 7)
    assert len(set(drawn)) == 10 and "" not in drawn
    numbers = [int(text.split()[1]) for text in drawn]
    assert numbers == sorted(numbers)
    assert drawn == drawn_sentences(tmp_path / "c.txt", 10, 7)
    assert drawn != drawn_sentences(tmp_path / "c.txt", 10, 8)
    whole = [line for line in lines if line.strip()]
    assert drawn_sentences(tmp_path / "c.txt", 1000, 7) == whole


def test_null_models_read_the_sentences_that_the_model_is_compared_over(files, states, tmp_path):
    given = {
        "corpus": files / "corpus.txt", "tokenizer": FOLDER / "tokenizer.json",
        "candidates": files / "candidates.parquet", "reading": READING, "device": "cpu",
        "threads": 1, "seed": 5, "drawn": 2,
    }  # fmt: skip
    read_corpus.main(
        **given, weights=files / "frozen.safetensors", singles=SINGLES, sizes={}, top=2,
        sentences=tmp_path / "s.parquet", summary=tmp_path / "summary.parquet",
    )  # fmt: skip
    summary = pd.read_parquet(tmp_path / "summary.parquet").set_index("objective")
    drawn = drawn_sentences(files / "corpus.txt", 2, 5)
    assert (summary["drawn"] == 2).all() and len(drawn) == 2
    rows = [("output", 1, 4), ("output", 3, 9)]
    optima = pd.DataFrame(rows * 2, columns=["site", "layer", "index"])
    optima = optima.assign(null="permuted", draw=[0, 0, 1, 1], activation=[2.0, -1.0, 4.0, 5.0])
    optima.to_parquet(tmp_path / "optima.parquet")
    # A null model that is the model itself.
    null_model_sentences.main(
        **given, weights=[files / "frozen.safetensors"] * 2, optima=tmp_path / "optima.parquet",
        replicates=[0, 1], table=tmp_path / "nulls.parquet",
    )  # fmt: skip
    found = pd.read_parquet(tmp_path / "nulls.parquet")
    assert found["optimum"].tolist() == [2.0, -1.0, 4.0, 5.0]
    assert found["draw"].tolist() == [0, 0, 1, 1]
    chosen = [layers for line, layers in states.items() if CORPUS[line - 1] in drawn]
    best = [max(layers[layer][:, index].max() for layers in chosen) for _, layer, index in rows]
    np.testing.assert_allclose(found["drawn_activation"], best * 2, rtol=1e-6)
    share = found["utilisation_drawn_sentence"]
    assert np.isnan(share[1])  # an optimum below zero has no share
    np.testing.assert_allclose(share[[0, 2, 3]], [best[0] / 2, best[0] / 4, best[1] / 5], rtol=1e-6)
    for name, own in summary.iterrows():
        _, layer, index = name.split("/")
        best = max(layers[int(layer)][:, int(index)].max() for layers in chosen)
        assert own["drawn_activation"] == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("reading", [READING, LOWEST], ids=["maximum", "minimum"])
def test_a_text_has_the_activation_that_transformers_finds_at_its_token(files, objectives, reading):
    sign = 1 if reading is READING else -1
    model = model_of(files, reading)
    settings = {"steps": 3, "candidates": 8, "sweeps": 0}
    found = texts_of(model, objectives, 2, reading, 0, settings)
    assert found["objective"].tolist() == objectives["objective"].tolist()
    for of, row in zip(objectives.itertuples(), found.itertuples(), strict=True):
        values = sign * activations(of.neurons, read(row.text))
        assert len(values) == row.length == 2
        assert row.activation == pytest.approx(values.max(), rel=1e-6)
        assert values.argmax() == row.place - 1
        assert row.text[row.start : row.end] == row.token
    single = objectives.query("kind == 'singles'")["objective"].tolist()
    alone = tx.ascend_text(
        model, single[1:2], tokens=2, sign=sign, seed=0, dtype="float64", **settings
    )
    assert alone.text[0] == found["text"][1]


def test_a_batch_beyond_the_last_objective_is_an_empty_table(files, objectives):
    found = texts_of(None, objectives.iloc[99:], 2, READING, 0, {})
    assert len(found) == 0 and list(found) == list(COLUMNS)


def asked(files, corpus):
    """What `make ask` says of output/3/9 in a study with a corpus."""
    settings = {"corpus": corpus, "catalogue": {"tiny": {"hidden": 16}}, "seed": 0}
    settings |= {"statistics": {"best_sentences": 2}, "ascent": {"dtype": "float64"}}
    study = SimpleNamespace(
        model="tiny",
        settings=settings | {"read": "word", "seek": "minimum"},
        weights=lambda: files / "frozen.safetensors",
        words=lambda: pd.read_parquet(files / "candidates.parquet"),
    )
    return sentences_now(study, "output/3/9", files)


def test_a_neuron_that_was_left_out_reads_the_corpus_if_that_is_quick(files, states, monkeypatch):
    shutil.copy(FOLDER / "tokenizer.json", files)
    rows, said = asked(files, str(files / "corpus.txt"))
    lowest = min(layers[3][:, 9].min() for layers in states.values())
    assert rows[0][0] == pytest.approx(-lowest, rel=1e-3) and len(rows) == 2
    assert "".join(rows[0][1:]) in CORPUS
    assert said == f"of {sum(layers.shape[1] for layers in states.values())} tokens, read now"
    assert asked(files, None) == ([], "")
    rows, said = asked(files, "gone.txt")
    assert rows == [] and said.startswith("not read: corpus: gone.txt cannot be read")
    monkeypatch.setattr(sentences, "QUICK", 1.0)
    rows, said = asked(files, str(files / "corpus.txt"))
    assert rows == [] and 'corpus.txt", neurons=["output/3/9"]' in said
