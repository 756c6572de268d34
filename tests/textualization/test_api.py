"""The library's face: the same optima of a model from a folder, a hub and transformers."""

import io
import os
import subprocess
import sys

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import transformers

import textualization as tx
from hub import Hub, served
from make_tiny_families import FAMILIES, write_family
from model_sources import divided
from paths import DATA, ROOT
from textualization.models.conversion import convert, convert_loaded
from textualization.models.tokenizer import load_tokenizer

FOLDER = DATA / "tiny-deep"
FEW = {"solver": "lbfgs", "steps": 15}


@pytest.fixture(scope="module")
def model():
    return tx.load(FOLDER, device="cpu")


@pytest.fixture(scope="module")
def optima(model):
    groups = {"river": model.neurons_of("river", size=6), "mine": ["output/1/2", ("output", 3, 1)]}
    return tx.ascend(model, ["output/3/12", ("intermediate", 2, 7)], groups, restarts=2, **FEW)


def whole():
    return transformers.AutoModel.from_pretrained(FOLDER, dtype=torch.float64).eval()


def outputs(inputs):
    """Transformers' own hidden states of `[CLS] x [SEP]` at x: (layers, H)."""
    bert = whole()
    embeddings = bert.get_input_embeddings().weight
    row = torch.stack([embeddings[2], torch.as_tensor(inputs, dtype=torch.float64), embeddings[3]])
    states = bert(inputs_embeds=row[None], output_hidden_states=True).hidden_states[1:]
    return torch.stack([s[0, 1] for s in states]).detach().numpy()


def test_an_import_is_light_and_offers_its_face():
    code = (
        "import sys, textualization as tx; print(sorted(tx.__all__));"
        "print({'torch', 'transformers', 'pandas', 'matplotlib'} & set(sys.modules)); tx.load"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    face, heavy = done.stdout.splitlines()
    assert (
        face
        == "['BestSentences', 'Model', 'Optima', 'RequestError', 'Texts', 'ascend', 'ascend_text', "
        "'best_sentences', 'explain', 'load', "
        "'principal_components', 'random_directions', 'read_directions', 'word_difference', "
        "'word_direction']"
        and heavy == "set()"
    )
    with pytest.raises(AttributeError, match="no attribute 'climb'"):
        tx.climb  # noqa: B018


def test_five_lines_write_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = tx.load(FOLDER)
    optima = tx.ascend(model, neurons=["output/3/1"], **FEW)
    nearest = optima.nearest_words(5)
    assert nearest.columns.tolist() == ["objective", "restart", "rank", "word", "cosine"]
    assert nearest["rank"].tolist() == [1, 2, 3, 4, 5] and (nearest["cosine"].diff()[1:] <= 0).all()
    assert not list(tmp_path.iterdir())


def test_an_optimum_is_what_transformers_says_of_its_embedding(optima):
    states = outputs(optima.embedding[0])
    assert states[2, 12] == pytest.approx(optima.activation[0], abs=1e-4)
    mean = np.mean([outputs(optima.embedding[6])[la - 1, i] for la, i in ((1, 2), (3, 1))])
    assert mean == pytest.approx(optima.activation[6], abs=1e-4)


def test_objectives_come_in_order_with_their_restarts(optima):
    table = optima.table()
    names = ["output/3/12", "intermediate/2/7", "river", "mine"]
    assert table["objective"].tolist() == [name for name in names for _ in range(2)]
    assert table["restart"].tolist() == [0, 1] * 4
    assert table["size"].tolist() == [1, 1, 1, 1, 6, 6, 2, 2] and len(optima) == 8
    assert not np.allclose(optima.embedding[0], optima.embedding[1])


def test_the_table_agrees_with_brute_force(model, optima):
    table, words = optima.table(), model.words
    e = model.embeddings.astype(np.float64)
    candidates = np.flatnonzero(model.candidates)
    with np.errstate(invalid="ignore"):  # [PAD] is a row of zeros, and no candidate
        unit = e / np.linalg.norm(e, axis=1, keepdims=True)
    states = np.stack([outputs(e[i]) for i in candidates])
    values = {0: states[:, 2, 12], 6: (states[:, 0, 2] + states[:, 2, 1]) / 2}
    for row, over_words in values.items():
        own, found = table.iloc[row], optima.embedding[row].astype(np.float64)
        cosine = unit[candidates] @ found / np.linalg.norm(found)
        assert own["nearest_word"] == words["word"][candidates[cosine.argmax()]]
        assert own["nearest_cosine"] == pytest.approx(cosine.max(), abs=1e-6)
        assert own["best_word"] == words["word"][candidates[over_words.argmax()]]
        shares = {"best_word": over_words.max(), "mean_word": np.abs(over_words).mean()}
        shares["nearest_word"] = over_words[cosine.argmax()]
        for kind, value in shares.items():
            share = value / own["activation"]
            assert own[f"utilisation_{kind}"] == pytest.approx(share, abs=1e-4), kind
        assert own["activation"] <= own["ceiling"] + 1e-6
    target = words.index[words["word"] == "river"][0]
    cosine = unit[candidates] @ optima.embedding[4] / np.linalg.norm(optima.embedding[4])
    own = cosine[list(candidates).index(target)]
    assert table["target_cosine"][4] == pytest.approx(own, abs=1e-6)
    assert table["target_rank"][4] == (cosine >= own - 1e-7).sum()
    assert table["recovered"][4] == (table["nearest_word"][4] == "river")
    # What is named like no word has no target.
    assert table["target_cosine"].isna().tolist() == [True] * 4 + [False] * 2 + [True] * 2


def test_what_explains_is_transformers_gradient_at_the_mean_word(model):
    groups = {"mine": ["output/1/2", ("output", 3, 1)]}
    found = tx.explain(model, ["output/3/12"], groups)
    candidates = np.flatnonzero(model.candidates)
    words = whole().get_input_embeddings().weight.detach()[candidates]
    for row, neurons in enumerate([[(3, 12)], [(1, 2), (3, 1)]]):
        mean = words.mean(dim=0).requires_grad_()
        bert = whole()
        embeddings = bert.get_input_embeddings().weight
        states = bert(
            inputs_embeds=torch.stack([embeddings[2], mean, embeddings[3]])[None],
            output_hidden_states=True,
        ).hidden_states
        value = sum(states[layer][0, 1, index] for layer, index in neurons) / len(neurons)
        (gradient,) = torch.autograd.grad(value, mean)
        expected = gradient / gradient.norm() * words.norm(dim=1).mean()
        np.testing.assert_allclose(found.embedding[row], expected, rtol=2e-4, atol=2e-5)
        reached = outputs(found.embedding[row])
        mean = np.mean([reached[layer - 1, index] for layer, index in neurons])
        assert found.activation[row] == pytest.approx(mean, rel=1e-4)
    table = found.table()
    assert table["objective"].tolist() == ["output/3/12", "mine"]
    assert (table["explanation"] > 0.5).all() and found.nearest_words(3)["rank"].max() == 3


def test_explanation_of_an_optimum_is_that_of_its_words(model, optima):
    table, candidates = optima.table(), np.flatnonzero(model.candidates)
    words = model.embeddings[candidates].astype(float)
    layers = np.stack([outputs(word) for word in words])
    near = words @ optima.embedding[0] / np.linalg.norm(words, axis=1)
    expected = np.corrcoef(near, layers[:, 2, 12])[0, 1]
    assert table["explanation"][0] == pytest.approx(expected, abs=1e-4)


def test_a_words_neurons_are_its_strongest(model):
    state = outputs(model.embeddings[model.id_of("river")])
    order = np.argsort(-state.ravel(), kind="stable")[:5]
    expected = [("output", int(p) // 16 + 1, int(p) % 16) for p in order]
    assert model.neurons_of("river", size=5) == expected
    second = np.argsort(-state[1], kind="stable")[:3]
    assert model.neurons_of("river", 3, layer=2) == [("output", 2, int(i)) for i in second]
    over = np.stack([outputs(model.embeddings[i]) for i in np.flatnonzero(model.candidates)])
    score = ((state - over.mean(axis=0)) / over.std(axis=0)).ravel()
    order = np.argsort(-score, kind="stable")[:4]
    expected = [("output", int(p) // 16 + 1, int(p) % 16) for p in order]
    assert model.neurons_of("river", 4, selection="z_score") == expected


def test_the_papers_protocol_is_the_default_and_is_the_literal_loop(model):
    found = tx.ascend(model, ["output/2/3"], steps=4, dtype="float64", seed=11)
    from textualization.ascent.starts import draw_starts

    x = draw_starts(11, [("single", "output", 2, 3, 0)], 400, "normal", 1.0)
    x = torch.tensor(x[0], requires_grad=True)
    bert = whole().requires_grad_(False)
    embeddings = bert.get_input_embeddings().weight
    loop = torch.optim.SGD([x], lr=1001.0, maximize=True)
    for _ in range(4):
        loop.zero_grad()
        row = torch.stack([embeddings[2], x @ embeddings, embeddings[3]])
        states = bert(inputs_embeds=row[None], output_hidden_states=True).hidden_states
        states[2][0, 1, 3].backward()
        loop.step()
    expected = (x @ embeddings).detach().numpy()
    np.testing.assert_allclose(found.embedding[0], expected, rtol=1e-5)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_live_model_is_read_as_its_folder_is(name, tmp_path):
    folder = tmp_path / name
    write_family(folder, name)
    tensors, facts = convert(folder, name)
    kind = {"t5": "T5EncoderModel"}.get(name, "AutoModel")
    live = getattr(transformers, kind).from_pretrained(folder)
    tokens = load_tokenizer(folder / "tokenizer.json")
    found, own_facts = convert_loaded(live, tokens)
    assert own_facts == facts and set(found) == set(tensors)
    for key, tensor in tensors.items():
        torch.testing.assert_close(found[key], tensor.to(found[key].dtype), rtol=0, atol=0)


def test_a_model_with_a_head_is_read_as_without(model):
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(FOLDER / "tokenizer.json"))
    config = transformers.AutoConfig.from_pretrained(FOLDER)
    head = transformers.BertForMaskedLM(config)
    head.bert.load_state_dict(whole().float().state_dict(), strict=False)
    before = {name: t.clone() for name, t in head.state_dict().items()}
    live = tx.load(head, tokenizer, device="cpu")
    found = tx.ascend(live, ["output/3/12"], **FEW)
    expected = tx.ascend(model, ["output/3/12"], **FEW)
    np.testing.assert_allclose(found.activation, expected.activation, rtol=1e-5)
    assert live.words.equals(model.words)
    assert all(torch.equal(t, before[name]) for name, t in head.state_dict().items())


@pytest.mark.parametrize("how", ["whole", "in shards", "in shards on a mirror"])
def test_a_hub_id_comes_from_the_hub(tmp_path, how):
    folder = FOLDER if how == "whole" else divided(FOLDER, tmp_path / "divided")
    code = (
        "import textualization as tx; m = tx.load('some-lab/tiny', device='cpu');"
        "print(m); print(tx.ascend(m, ['output/1/1'], solver='lbfgs', steps=3).activation[0])"
    )
    with served(Hub(folder, "some-lab/tiny", "main", mirror="mirror" in how)) as address:
        environment = os.environ | {
            "PYTHONPATH": str(ROOT / "src"), "HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home"),
            "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1",
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True
        )
    assert done.returncode == 0, done.stderr[-2000:]
    name, activation = done.stdout.splitlines()
    assert name == "<Model some-lab/tiny: 3 layers of 16, 400 words>"
    own = tx.ascend(tx.load(FOLDER, device="cpu"), ["output/1/1"], solver="lbfgs", steps=3)
    assert float(activation) == pytest.approx(own.activation[0], rel=1e-6)


def test_a_plot_shows_the_ascents_and_the_nearest_words(optima):
    figure = optima.plot()
    left, right = figure.axes
    assert len(left.lines) == 8 and left.get_ylabel() == "share of the ceiling"
    nearest = optima.nearest_words(5)
    labels = [text.get_text() for text in right.get_yticklabels()]
    assert labels == nearest["word"][:20].tolist()
    lengths = [bar.get_width() for bar in right.patches]
    np.testing.assert_allclose(lengths, nearest["cosine"][:20])


def test_a_plot_is_the_same_whatever_a_user_has_set(optima):
    def pixels():
        figure, stream = optima.plot(), io.BytesIO()
        figure.savefig(stream, format="png")
        return stream.getvalue(), figure._repr_png_()

    plain = pixels()
    # Also while it is drawn, which is after the call.
    with matplotlib.rc_context({"text.usetex": True, "axes.grid": True, "savefig.dpi": 50}):
        assert pixels() == plain
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda m: tx.load("/nowhere/model"), "/nowhere/model: there is no such folder"),
        (lambda m: tx.load(DATA), "has no model.safetensors; a model folder holds"),
        (lambda m: tx.load(FOLDER, "t"), "tokenizer: a hub id or a folder brings its own"),
        (lambda m: tx.load(whole()), "tokenizer: a transformers model needs its tokenizer"),
        (lambda m: tx.load(whole(), "t"), "tokenizer: str is not a fast tokenizer"),
        (lambda m: tx.load(7), "source: int is not a hub id, folder or transformers model"),
        (
            lambda m: tx.load(FOLDER, candidates="every"),
            "'every' is not one of whole_words, with_w",
        ),
        (lambda m: tx.load(FOLDER, read="mask"), "read: 'mask' is not one of cls, word, sep"),
        (lambda m: tx.load(FOLDER, device="gpu"), "device: 'gpu' is not one of auto, cpu, cuda"),
        (lambda m: tx.load(FOLDER, family="gpt2"), "does not belong to the family 'gpt2'"),
        (lambda m: tx.ascend(m), "neurons, groups, directions: name at least one"),
        (lambda m: tx.ascend(m, "output/1/1"), "'output/1/1' is a string; give a list"),
        (
            lambda m: tx.ascend(m, ["output/1"]),
            "'output/1' is not valid (allowed: site/layer/index",
        ),
        (
            lambda m: tx.ascend(m, [3]),
            "3 is not valid (allowed: site/layer/index, as in output/3/120",
        ),
        (lambda m: tx.ascend(m, ["mlp/1/1"]), "unknown site (allowed: output, intermediate)"),
        (
            lambda m: tx.ascend(m, ["output/4/1"]),
            "not a neuron of tiny-deep (allowed: layers 1 to 3, indices 0 to 15)",
        ),
        (lambda m: tx.ascend(m, ["output/1/16"]), "output/1/16 is not a neuron of tiny-deep"),
        (
            lambda m: tx.ascend(m, groups={"a": []}),
            "group 'a': it is empty (allowed: one or more neurons)",
        ),
        (
            lambda m: tx.ascend(m, groups={"a": ["output/9/1"]}),
            "group 'a': output/9/1 is not a neuron",
        ),
        (
            lambda m: tx.ascend(m, ["output/1/1"], solver="sgd"),
            "solver: 'sgd' is not one of paper, ",
        ),
        (
            lambda m: tx.ascend(m, ["output/1/1"], memory=3),
            "memory: solver paper has no such option (allowed: rate; and the arguments of ascend)",
        ),
        (
            lambda m: tx.ascend(m, ["output/1/1"], steps=0),
            "steps: 0 is not valid (allowed: whole numbers from 1)",
        ),
        (lambda m: tx.ascend(m, ["output/1/1"], restarts=1.5), "restarts: 1.5 is not valid"),
        (
            lambda m: tx.ascend(m, ["output/1/1"], dtype="half"),
            "dtype: 'half' is not one of float32",
        ),
        (lambda m: tx.ascend(m, ["output/1/1"], init="zero"), "init: 'zero' is not one of normal"),
        (
            lambda m: m.neurons_of("rivers", 3),
            "'rivers' is not one entry of the vocabulary of tiny-deep",
        ),
        (lambda m: m.neurons_of(7, 3), "word: 7 is not text (put it in quotes)"),
        (lambda m: m.neurons_of("river", 49), "'river': a group of 49 neurons"),
        (
            lambda m: m.neurons_of("river", 3, selection="best"),
            "selection: 'best' is not one of absolute",
        ),
        (lambda m: m.neurons_of("river", 3, site="mlp"), "site: 'mlp' is not one of output"),
        (
            lambda m: m.neurons_of("river", 3, layer=7),
            "layer: 7 is not a layer of tiny-deep (layers 1 to 3)",
        ),
    ],
)
def test_bad_input_is_named_with_what_is_allowed(model, call, says):
    with pytest.raises(tx.RequestError) as error:
        call(model)
    assert says in str(error.value)


def test_a_word_is_the_same_in_any_spelling_that_the_tokenizer_reads_so(model, caplog):
    with caplog.at_level("INFO"):
        assert model.neurons_of("e\u0301", 4) == model.neurons_of("é", 4)
        assert model.neurons_of("River", 4) == model.neurons_of("river", 4)
    read = [line for line in caplog.messages if "read as" in line]
    assert read == [r"'e\u0301' is read as '\xe9'", "'River' is read as 'river'"]
    groups = {"e\u0301": ["output/1/1"], "River": ["output/1/1"], "rivers": ["output/1/1"]}
    ranks = tx.ascend(model, groups=groups, **FEW).table()["target_rank"]
    assert ranks.notna().tolist() == [True, True, False]


def test_restarts_differ_by_their_starts_alone(model):
    several = tx.ascend(model, ["output/2/5"], seed=3, restarts=3, dtype="float64", **FEW)
    one = tx.ascend(model, ["output/2/5"], seed=3, dtype="float64", **FEW)
    table = several.table()
    assert table["objective"].nunique() == 1 and table["restart"].tolist() == [0, 1, 2]
    np.testing.assert_allclose(several.embedding[0], one.embedding[0], rtol=1e-5)
