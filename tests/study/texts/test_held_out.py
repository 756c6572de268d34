"""What was found, judged on held-out sentences: against a loop over all tokens, by transformers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from scipy.stats import pearsonr
from transformers import AutoModel

import textualization as tx
from paths import DATA
from scripts.experiments import ascend_conditions, explain_sentences, split_corpus
from settings import changed, complaints
from study.config.experiments import conditions, resolved
from study.texts.held_out import MEASURES, halves, token_activations
from textualization.ascent.protocol import Execution
from textualization.errors import RequestError
from textualization.models.architecture import metadata
from textualization.models.conversion import convert

SENTENCES = DATA / "sentences.txt"
HELD_OUT = ["river music", "green tiger apple"]
VARY = {
    "optimum": {"steps": 3},
    "positions": {"steps": 3, "length": 3, "place": 2},
    "relative": {"steps": 3, "selection": "z_score"},
    "best_word": {"solver": "exhaustive", "top": 4},
    "text": {"solver": "coordinate", "length": 2, "steps": 2, "sweeps": 0},
    "sentence": {"solver": "corpus", "top": 3},
}
REQUESTED = {
    "singles": {"neurons": 2, "restarts": 2},
    "groups": {"of": "targets", "words": "all", "sizes": [8]},
}


@pytest.fixture(scope="module")
def model():
    return tx.load(DATA / "tiny-deep", device="cpu")


@pytest.fixture(scope="module")
def states():
    """Every layer's output at every token of a text's ids, by transformers: (layers, tokens, H)."""
    whole = AutoModel.from_pretrained(DATA / "tiny-deep", dtype=torch.float64).eval()

    def compute(ids):
        with torch.no_grad():
            found = whole(input_ids=torch.tensor([[2, *ids, 3]]), output_hidden_states=True)
        return torch.cat(found.hidden_states[1:])[:, 1:-1].numpy()

    return compute


@pytest.fixture(scope="module")
def files(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("held_out")
    tensors, facts = convert(DATA / "tiny-deep")
    save_file(tensors, folder / "frozen.safetensors", metadata=metadata(facts))
    model.words.to_parquet(folder / "candidates.parquet")
    pd.DataFrame({"id": np.flatnonzero(model.candidates)[::2]}).to_parquet(folder / "ref.parquet")
    words = ["river", "tiger", "green"]
    targets = pd.DataFrame({"word": words, "id": [model.id_of(word) for word in words]})
    targets.to_parquet(folder / "targets.parquet")
    split_corpus.main(SENTENCES, folder / "searched.txt", folder / "held_out.txt")
    return folder


def judged(files, seek, vary, drawn=100):
    """The optima of an experiment's conditions, and what held-out sentences say of them."""
    settings = changed(("seek", seek), ("corpus", "default"), ("ascent.dtype", "float64"))
    experiment = {"vary": vary}
    found = {}
    for block, of_block in conditions(experiment).items():
        found |= (own := {name: resolved(one, settings) for name, one in of_block.items()})
        ascend_conditions.main(
            [files / "frozen.safetensors"], files / "candidates.parquet", files / "ref.parquet",
            files / "targets.parquet", DATA / "tiny-deep/tokenizer.json", [], own, REQUESTED,
            settings["seed"], [0], "model", Execution(device="cpu"), files / f"{block}.parquet",
            corpus=[files / "searched.txt"],
        )  # fmt: skip
    paths = [files / f"{block}.parquet" for block in vary]
    explain_sentences.main(
        # Another order than that of the conditions.
        paths[::-1], files / "held_out.txt", drawn, [files / "frozen.safetensors"],
        files / "candidates.parquet", files / "ref.parquet", files / "targets.parquet",
        DATA / "tiny-deep/tokenizer.json", [], found, REQUESTED, settings["seed"], [0], "cpu", 1,
        files / "judged.parquet",
    )  # fmt: skip
    optima = pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)
    table = pd.read_parquet(files / "judged.parquet")
    return optima.merge(table, validate="one_to_one")


def neurons_of(row, model, states, reference):
    """The neurons (layer, index) of an optimum's objective, by sorting."""
    if row["kind"] == "single":
        return [(row["layer"], row["index"])]
    own = states([model.id_of(row["word"])])[:, 0]
    if row["selection"] == "z_score":
        over = np.stack([states([word])[:, 0] for word in reference])
        own = (own - over.mean(axis=0)) / over.std(axis=0)
    order = np.argsort(-own, axis=None)[: row["size"]]
    return [(place // own.shape[1] + 1, place % own.shape[1]) for place in order]


def by_a_loop(row, vector, model, states, reference, sign=1):
    """Correlate, token by token, closeness to a vector with the activation within the sentence."""
    near, active = [], []
    neurons = neurons_of(row, model, states, reference)
    for text in HELD_OUT:
        ids = model.tokenizer.encode(text, add_special_tokens=False).ids
        for place, word in enumerate(ids):
            e = model.embeddings[word].astype(float)
            near.append(e @ vector / np.linalg.norm(e) / np.linalg.norm(vector))
            read = states(ids)[:, place]
            active.append(sign * np.mean([read[layer - 1, index] for layer, index in neurons]))
    return pearsonr(near, active)[0]


def test_what_was_found_is_judged_by_every_token_of_held_out_sentences(model, files, states):
    found = judged(files, "maximum", VARY)
    reference = pd.read_parquet(files / "ref.parquet")["id"]
    assert set(found["condition"]) == set(VARY) and set(found["restart"]) == {0, 1}
    width, place = model.embeddings.shape[1], {"positions": 1}
    for _, row in found.iterrows():
        e = row["embedding"].reshape(-1, width)[place.get(row["condition"], 0)]
        expected = by_a_loop(row, e, model, states, reference)
        assert row["explanation_sentences"] == pytest.approx(expected, abs=1e-5)
        if row["condition"] not in ("best_word", "text", "sentence"):
            assert np.isnan(row["explanation_top_sentences"])
            continue
        ids = [
            model.words.index[model.words["word"] == item][0] for item in row["top_items"].split()
        ]
        expected = by_a_loop(row, model.embeddings[ids].mean(axis=0), model, states, reference)
        assert row["explanation_top_sentences"] == pytest.approx(expected, abs=1e-5)
    searched = set((files / "searched.txt").read_text(encoding="utf-8").splitlines())
    assert set(found.loc[found["condition"] == "sentence", "text"]) <= searched
    assert found["explanation_sentences"].nunique() > 20


def test_minima_are_judged_by_the_opposite_of_what_tokens_activate(model, files, states):
    found = judged(files, "minimum", {"optimum": {"steps": 3}})
    singles = found[found["kind"] == "single"]
    for _, row in singles.iterrows():
        expected = by_a_loop(row, row["embedding"], model, states, [], sign=-1)
        assert row["explanation_sentences"] == pytest.approx(expected, abs=1e-5)


def test_no_more_sentences_are_read_than_are_wanted(model, files):
    whole = judged(files, "maximum", {"optimum": {"steps": 3}})
    drawn = judged(files, "maximum", {"optimum": {"steps": 3}}, drawn=1)
    assert not np.allclose(whole["explanation_sentences"], drawn["explanation_sentences"])


def test_texts_are_cut_at_the_last_position_and_empty_ones_skipped(model):
    long = " ".join(["river"] * 20)
    ids, values = token_activations(model, ["", long, "tiger"], [[("output", 1, 0)]])
    assert (
        len(ids)
        == len(values)
        == tx.best_sentences(model, [long], ["output/1/0"]).counts.tokens + 1
    )


def test_halves_have_no_sentence_in_common(tmp_path):
    searched, held_out = halves(SENTENCES)
    lines = SENTENCES.read_text(encoding="utf-8").splitlines()
    assert searched == [lines[place] for place in (1, 3, 5, 7)]
    # The first line is also the sixth, and the third is empty.
    assert held_out == [lines[place] for place in (4, 6)] == HELD_OUT
    for text, half in (("river\n", "even"), ("\nriver\n\n", "odd"), ("river\nriver\n", "odd")):
        (tmp_path / "corpus.txt").write_text(text)
        with pytest.raises(RequestError, match=f"no sentence of its own on the lines of {half}"):
            halves(tmp_path / "corpus.txt")


def test_the_librarys_corpus_is_halved_evenly():
    corpus = Path(tx.__file__).parent / "corpus/sentences.txt"
    searched, held_out = halves(corpus)
    assert abs(len(searched) - len(held_out)) <= 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            [("corpus", None)],
            "need a corpus (allowed: corpus: default, or the path of a text file)",
        ),
        (
            [("read", "cls")],
            "at their own tokens, not with read: cls (allowed: read: word, or statistics",
        ),
        (
            [("context", "the {} sat")],
            "not with context: the {} sat (allowed: context: null, or statistics without",
        ),
    ],
)
def test_settings_without_sentences_to_judge_by_are_refused(changes, says):
    settings = changed(("corpus", "default"), ("run", ["parametrisation"]), *changes)
    settings["experiments"]["parametrisation"]["statistics"] = ["explanation_sentences"]
    (line,) = [line for line in complaints(settings) if says in line]
    assert line.startswith("experiments.parametrisation.statistics: ") and len(line) < 240
    assert set(MEASURES.values()) == {"explanation_sentences", "explanation_top_sentences"}
