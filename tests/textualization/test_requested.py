"""Directions, weighted groups, minima and given starts, against transformers and brute force."""

import numpy as np
import pandas as pd
import pytest
import torch
import transformers

import textualization as tx
from paths import DATA
from textualization.ascent import protocol
from textualization.ascent.objectives import weighted_sums

FOLDER = DATA / "tiny-deep"
FEW = {"solver": "lbfgs", "steps": 15, "dtype": "float64"}
H = 16


@pytest.fixture(scope="module")
def model():
    return tx.load(FOLDER, device="cpu")


@pytest.fixture(scope="module")
def states(model):
    """Transformers' hidden states of `[CLS] x [SEP]` at inputs x: (n, layers, H), float64."""
    bert = transformers.AutoModel.from_pretrained(FOLDER, dtype=torch.float64).eval()
    e = bert.get_input_embeddings().weight

    def of(inputs):
        x = torch.as_tensor(np.asarray(inputs, dtype=np.float64))
        rows = torch.stack([e[2].expand_as(x), x, e[3].expand_as(x)], dim=1)
        found = bert(inputs_embeds=rows, output_hidden_states=True).hidden_states[1:]
        return torch.stack([layer[:, 1] for layer in found], dim=1).detach().numpy()

    return of


def vector(seed=0, width=H):
    return np.random.default_rng(seed).standard_normal(width)


def test_a_direction_reaches_what_transformers_says_and_rises(model, states):
    directions = {
        "one": ("output", 3, vector()),
        "of a tensor": ["output", 2, torch.tensor(vector(1), dtype=torch.float32)],
        "several": {("output", 1): vector(2), ("output", 3): -vector(3)},
    }
    groups = {"weighted": {"output/3/12": 0.7, ("output", 2, 5): -0.3}}
    found = tx.ascend(model, groups=groups, directions=directions, **FEW)
    table = found.table()
    assert table["objective"].tolist() == ["weighted", *directions]
    assert table["size"].tolist() == [2, H, H, 2 * H] and (table["sign"] == 1).all()
    s = states(found.embedding)
    expected = [
        0.7 * s[0, 2, 12] - 0.3 * s[0, 1, 5],
        s[1, 2] @ vector(),
        s[2, 1] @ vector(1),
        s[3, 0] @ vector(2) - s[3, 2] @ vector(3),
    ]
    np.testing.assert_allclose(found.activation, expected, rtol=1e-5)
    assert (found.arrays.curve[-1] > found.arrays.curve[0]).all()
    assert (table["activation"] <= table["ceiling"] + 1e-9).all()


def test_a_groups_mean_is_its_weighted_sum(model):
    neurons = ["output/1/2", "output/3/1"]
    mean, weighted = (
        tx.ascend(model, groups={"mine": group}, seed=4, **FEW)
        for group in (neurons, dict.fromkeys(neurons, 0.5))
    )
    assert np.array_equal(mean.embedding, weighted.embedding)


def test_a_minimum_is_the_maximum_of_the_opposite(model):
    start = vector(5)
    low = tx.ascend(model, directions={"d": ("output", 3, vector())}, sign=-1, start=start, **FEW)
    high = tx.ascend(model, directions={"d": ("output", 3, -vector())}, start=start, **FEW)
    assert np.array_equal(low.embedding, high.embedding)
    assert np.array_equal(low.activation, -high.activation)
    assert np.array_equal(low.arrays.curve, -high.arrays.curve)
    np.testing.assert_array_equal(low.floor, -high.arrays.ceiling)
    np.testing.assert_array_equal(low.arrays.ceiling, -high.floor)
    one, other = low.table(), high.table()
    assert one["share_of_floor"][0] == pytest.approx(other["share_of_ceiling"][0])
    assert one["share_of_ceiling"].isna().all() and other["share_of_floor"].isna().all()
    same = ["best_word", "nearest_word", "explanation", "explanation_spearman", "precision_100"]
    same += [column for column in one if column.startswith("utilisation")]
    assert one[same].equals(other[same])


def test_a_minimum_is_described_by_the_words_that_activate_least(model, states):
    found = tx.ascend(model, ["output/3/12", "-output/3/12", "-intermediate/2/7"], **FEW)
    table = found.table()
    assert table["objective"].tolist() == ["output/3/12", "-output/3/12", "-intermediate/2/7"]
    assert table["sign"].tolist() == [1, -1, -1]
    assert np.array_equal(found.arrays.start[0], found.arrays.start[1])  # x₀ is the neuron's
    own = table.iloc[1]
    assert own["activation"] == pytest.approx(states(found.embedding)[1, 2, 12], rel=1e-5)
    candidates = np.flatnonzero(model.candidates)
    e = model.embeddings[candidates].astype(np.float64)
    a = states(e)[:, 2, 12]
    assert own["activation"] < a.min() < 0 and own["floor"] <= own["activation"] + 1e-9
    assert own["best_word"] == model.words["word"][candidates[a.argmin()]]
    assert own["utilisation_best_word"] == pytest.approx(a.min() / own["activation"], rel=1e-4)
    mean = np.abs(a).mean() / -own["activation"]
    assert own["utilisation_mean_word"] == pytest.approx(mean, rel=1e-4)
    cosine = e @ found.embedding[1] / np.linalg.norm(e, axis=1)
    assert own["explanation"] == pytest.approx(np.corrcoef(cosine, -a)[0, 1], abs=1e-4)
    # GELU's lowest value is the floor of an intermediate neuron, and is reached.
    assert table["floor"][2] == pytest.approx(-0.169971207, abs=1e-6)
    assert table["share_of_floor"][2] == pytest.approx(1, abs=1e-3)
    left, _ = found.plot().axes
    assert left.get_ylabel() == "share of the ceiling or floor" and len(left.lines) == 3


def test_what_explains_a_minimum_points_the_other_way(model):
    high, low = (tx.explain(model, ["output/3/12"], sign=sign) for sign in (1, -1))
    assert np.array_equal(low.embedding, -high.embedding)
    assert low.table()["objective"][0] == "-output/3/12" and low.table()["explanation"][0] > 0.5
    assert low.activation[0] < high.activation[0]


def test_ascents_start_where_they_are_told(model):
    e, ids = model.embeddings, [model.id_of("river"), model.id_of("apple")]
    neurons = ["output/3/1", "-output/2/4"]
    first = tx.ascend(model, neurons, **FEW)
    rows = np.stack([vector(1), vector(2)])
    for start, expected in (
        ("river", e[[ids[0]] * 2]),
        (["river", "apple"], e[[ids] * 2].mean(axis=1)),
        ("mean_word", e[model.candidates].mean(axis=0)[None].repeat(2, axis=0)),
        (first, first.embedding),
        (rows[0], rows[[0, 0]]),
        (torch.from_numpy(rows), rows),
        (rows.tolist(), rows),
    ):
        found = tx.ascend(model, neurons, start=start, **FEW)
        np.testing.assert_allclose(found.arrays.start, expected, rtol=1e-6)
        assert (found.sign * (found.arrays.curve[-1] - found.arrays.curve[0]) >= 0).all()
    assert np.array_equal(
        tx.ascend(model, neurons, start="random", **FEW).embedding, first.embedding
    )


def test_from_a_given_start_the_largest_entries_are_those_of_the_shortest_x(model):
    found = tx.ascend(model, ["output/3/1"], start="river", **FEW)
    x, *_ = np.linalg.lstsq(model.embeddings.T.astype(float), found.embedding[0].astype(float))
    assert found.arrays.largest_entries[0].tolist() == np.argsort(-x)[:10].tolist()


def test_snapshots_tell_objectives_apart_by_every_weight_and_sign(model):
    transformer, row = model.transformer(), vector()
    other = row.copy()
    other[8] += 1e-6
    sums = [weighted_sums([{("output", 3): v}], transformer) for v in (row, row, other, -row)]
    sums.append(sums[0].signed(-torch.ones(1)))
    start = np.zeros((1, H))
    prints = [protocol._fingerprint(model, s, start, protocol.Protocol()) for s in sums]
    assert prints[0] == prints[1] and len(set(prints)) == 3 and prints[3] == prints[4]


def test_neurons_may_be_anything_that_can_be_listed(model):
    names = ["output/3/1", "output/2/4"]
    told = {"steps": np.int64(3), "seed": np.int64(2), "solver": "lbfgs", "memory": np.int32(4)}
    expected = tx.ascend(model, names, **told)
    several = (
        np.array(names),
        pd.Series(names, index=[7, 8]),
        (name for name in names),
        [["output", np.int64(3), 1.0], ("output", "2", 4)],
    )
    for neurons in several:
        found = tx.ascend(model, neurons, solver="lbfgs", steps=3, seed=2, memory=4)
        assert np.array_equal(found.embedding, expected.embedding)
    group = {"g": np.array(names)}
    assert tx.ascend(model, groups=group, **told).table()["size"].tolist() == [2]
    with pytest.raises(tx.RequestError, match="name at least one neuron"):
        tx.ascend(model, np.array([]))


def direction(value):
    return lambda m: tx.ascend(m, directions={"d": value})


def begin(start, **options):
    return lambda m: tx.ascend(m, ["output/1/1", "output/1/2"], start=start, **options)


def told(**options):
    return lambda m: tx.ascend(m, ["output/1/1"], **options)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            direction(("output", 3, vector(0, 9))),
            "'d' at output/3: its shape is (9,) (allowed: (16",
        ),
        (direction(("output", 3, np.zeros(H))), "'d' at output/3: all weights are 0"),
        (
            direction(("output", 3, np.full(H, np.nan))),
            "'d' at output/3: it has values that are not",
        ),
        (
            direction(("output", 3, "north")),
            "'d' at output/3: 'north' is not valid (allowed: 16 num",
        ),
        (
            direction(("mlp", 3, vector())),
            "direction 'd': ('mlp', 3, 0): unknown site (allowed: out",
        ),
        (
            direction(("output", 4, vector())),
            "direction 'd': output/4/0 is not a neuron of tiny-deep",
        ),
        (direction(vector()), "direction 'd': it is not valid (allowed: ("),
        (direction({"output/3": vector()}), "direction 'd': 'output/3' is not a place (allowed: ("),
        (direction({}), "direction 'd': it is empty"),
        (lambda m: tx.ascend(m, groups={"g": {"output/1/1": 0}}), "group 'g': all weights are 0"),
        (
            lambda m: tx.ascend(m, groups={"g": {"output/1/1": np.inf}}),
            "group 'g': 'output/1/1': the weight inf is not valid (allowed: a finite number)",
        ),
        (
            lambda m: tx.ascend(m, groups={"g": {"output/1/1": "much"}}),
            "group 'g': 'output/1/1': 'much' is not valid (allowed: a finite number)",
        ),
        (lambda m: tx.ascend(m, groups={"g": {}}), "group 'g': it is empty"),
        (lambda m: tx.ascend(m, groups={"g": ["-output/1/1"]}), "'-output/1/1' is not valid"),
        (
            lambda m: tx.ascend(m, ["output/1/1"], sign=0),
            "sign: 0 is not valid (allowed: 1 for max",
        ),
        (lambda m: tx.ascend(m, ["-output/1/1"], sign=-1), "and sign=-1 both seek a minimum"),
        (lambda m: tx.ascend(m, 120), "neurons: 120 is not a list of neurons"),
        (lambda m: tx.ascend(m, [("output", 1, 2.7)]), "('output', 1, 2.7) is not valid"),
        (lambda m: tx.ascend(m, [("output", 1, np.inf)]), "('output', 1, inf) is not valid"),
        (
            lambda m: tx.ascend(m, groups=["output/1/1"]),
            "groups: list is not valid (allowed: a dict",
        ),
        (
            lambda m: tx.ascend(m, directions=[vector()]),
            "directions: list is not valid (allowed: a",
        ),
        (lambda m: tx.ascend(m, groups={"g": None}), "group 'g': None is not a list of neurons"),
        (
            lambda m: tx.ascend(m, groups={"g": ["output/1/1", ("output", 1, 1)]}),
            "group 'g': output/1/1 is named more than once (allowed: every neuron once, or weights, "
            'as in {"output/1/1": 2.0})',
        ),
        (lambda m: tx.ascend("tiny", ["output/1/1"]), "model: 'tiny' is not a loaded model"),
        (lambda m: tx.explain(None, ["output/1/1"]), "model: NoneType is not a loaded model"),
        (
            lambda m: tx.best_sentences("tiny", ["a"], ["output/1/1"]),
            "model: 'tiny' is not a loaded",
        ),
        (lambda m: tx.ascend_text("tiny", ["output/1/1"]), "model: 'tiny' is not a loaded model"),
        (
            lambda m: m.neurons_of("river", 0),
            "size: 0 is not valid (allowed: whole numbers from 1)",
        ),
        (lambda m: m.neurons_of("river", -1), "size: -1 is not valid"),
        (lambda m: m.neurons_of("river", 0.5), "size: 0.5 is not valid"),
        (told(seed=1.0), "seed: 1.0 is not valid (allowed: whole numbers)"),
        (told(seed=None), "seed: None is not valid"),
        (told(threads=0), "threads: 0 is not valid (allowed: whole numbers from 1)"),
        (told(tolerance=-1), "tolerance: -1 is not valid (allowed: finite numbers from 0)"),
        (told(init_scale=0), "init_scale: 0 is not valid (allowed: finite numbers above 0)"),
        (told(init_scale="long"), "init_scale: 'long' is not valid"),
        (told(solver="lbfgs", memory=0), "memory: 0 is not valid (allowed: whole numbers from 1)"),
        (
            told(solver="lbfgs", power="1"),
            "power: '1' is not valid (allowed: finite numbers from 0)",
        ),
        (told(rate=np.nan), "rate: nan is not valid (allowed: finite numbers from 0)"),
        (
            lambda m: tx.explain(m, ["output/1/1"]).nearest_words(-1),
            "count: -1 is not valid (allowed: whole numbers from 1)",
        ),
        (told(solver="adam", parametrisation="x"), "parametrisation: 'x' is not one of"),
        (told(solver="frank_wolfe", penalty="l3"), "penalty: 'l3' is not one of none, "),
        (told(rate=-1.0), "rate: -1.0 is not valid"),
        (
            told(step=5),
            "step: solver paper has no such option (allowed: rate; and the arguments of",
        ),
        (begin("river", restarts=2), "restarts: 2 ascents from the same start would be equal"),
        (begin("rivers"), "start: 'rivers' is not one entry of the vocabulary"),
        (begin(7.0), "start: the shape () is not valid (allowed: (16,), or (2, 16) with a row"),
        (begin(np.ones((3, H))), "start: the shape (3, 16) is not valid"),
        (begin(np.zeros(H)), "start: it has values that are not finite, or a row of zeros"),
        (begin(np.full(H, np.inf)), "start: it has values that are not finite"),
        (begin(None), "start: the shape () is not valid"),
        (begin({"a": 1}), "start: {'a': 1} is not valid (allowed: random, mean_word, a word"),
    ],
)
def test_bad_input_is_named_with_what_is_allowed(model, call, says):
    with pytest.raises(tx.RequestError) as error:
        call(model)
    assert says in str(error.value)
