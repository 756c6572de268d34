"""Bases read in place of neurons, against numpy and against ascents on the same rows as directions."""

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

import textualization as tx
from paths import DATA
from textualization.models.bases import basis_rows, read_in, read_rows
from textualization.models.model import Model
from textualization.models.null_models import derive
from textualization.models.transformer import Tap
from textualization.models.word_activations import all_taps, summarise_neurons

H, LAYERS = 16, 3
WORDS = np.arange(20, 220)
TAPS = [Tap("output", layer) for layer in range(1, LAYERS + 1)]
HOW = {"solver": "lbfgs", "steps": 12, "dtype": "float64", "seed": 3}


@pytest.fixture(scope="module")
def model():
    return tx.load(DATA / "tiny-deep", device="cpu")


@pytest.fixture
def features(tmp_path):
    """A file with 20 rows of layer 1 and 5 of layer 3, not of length 1."""
    dice = np.random.default_rng(5)
    found = {"output/1": dice.normal(size=(20, H)), "output/3": dice.normal(size=(5, H))}
    save_file(found, tmp_path / "features.safetensors")
    return str(tmp_path / "features.safetensors"), found


@pytest.mark.parametrize("basis", ["principal", "random", "differences"])
@pytest.mark.parametrize("site", ["output", "intermediate"])
def test_a_basis_has_as_many_rows_of_length_1_as_the_site_is_wide(model, basis, site):
    rows = basis_rows(basis, model, site, WORDS, seed=4)
    again = basis_rows(basis, model, site, WORDS, seed=4)
    other = basis_rows(basis, model, site, WORDS, seed=5)
    width = model.width(site)
    assert list(rows) == [Tap(site, layer) for layer in range(1, LAYERS + 1)]
    for tap, of_layer in rows.items():
        assert of_layer.shape == (width, width) and of_layer.dtype == np.float64
        np.testing.assert_allclose(np.linalg.norm(of_layer, axis=1), 1, atol=1e-12)
        assert np.array_equal(of_layer, again[tap])
        assert np.array_equal(of_layer, other[tap]) == (basis == "principal")
        orthogonal = np.abs(of_layer @ of_layer.T - np.eye(width)).max() < 1e-5
        assert orthogonal == (basis != "differences")
    first, second, *_ = rows.values()
    assert np.abs(first - second).max() > 0.1


def test_principal_rows_are_numpys_singular_vectors(model):
    for tap, rows in basis_rows("principal", model, "output", WORDS, 0).items():
        a = model.word_activations(WORDS, [tap])[tap].astype(float)
        _, deviation, v = np.linalg.svd(a - a.mean(axis=0))
        # Behind LayerNorm the last one has no variance; equal deviations would mix.
        assert deviation[-1] < 1e-4 * deviation[0] < deviation[-2]
        np.testing.assert_allclose(np.abs((rows * v).sum(axis=1)), 1, atol=1e-4)
        assert (rows[np.arange(H), np.abs(rows).argmax(axis=1)] > 0).all()


def test_differences_are_those_of_some_pair_of_words(model):
    few = WORDS[:6]
    for tap, rows in basis_rows("differences", model, "output", few, 1).items():
        a = model.word_activations(few, [tap])[tap].astype(float)
        pairs = [a[i] - a[j] for i in range(6) for j in range(6) if i != j]
        pairs = np.stack([pair / np.linalg.norm(pair) for pair in pairs])
        assert np.allclose((rows @ pairs.T).max(axis=1), 1)
        # Both orders occur: signs are by chance.
        assert len(np.unique((rows @ pairs.T).argmax(axis=1))) > 6


def test_rows_of_a_file_are_read_at_the_layers_that_it_names(model, features):
    path, stored = features
    found = basis_rows(path, model, "output", WORDS, 0)
    assert [len(found[tap]) for tap in TAPS] == [20, 0, 5]
    for layer in (1, 3):
        of_layer = stored[f"output/{layer}"]
        expected = of_layer / np.linalg.norm(of_layer, axis=1, keepdims=True)
        np.testing.assert_allclose(found[TAPS[layer - 1]], expected, atol=1e-12)
    read = read_in(model, found)
    assert [read.units(tap) for tap in TAPS] == [20, 0, 5]
    assert read.neurons("output").groupby("layer").size().to_dict() == {1: 20, 3: 5}
    a = read.word_activations(WORDS, TAPS)
    plain = model.word_activations(WORDS, TAPS)
    assert a[TAPS[1]].shape == (len(WORDS), 0)
    np.testing.assert_allclose(a[TAPS[2]], plain[TAPS[2]] @ found[TAPS[2]].T, atol=1e-5)
    summary = summarise_neurons(read.transformer(), WORDS, all_taps(read, ["output"]))
    np.testing.assert_allclose(
        summary["max"], np.concatenate([a[tap].max(axis=0) for tap in TAPS]), atol=1e-6
    )


@pytest.mark.parametrize(
    ("tensors", "says"),
    [
        (
            {"output/4": np.ones((2, H))},
            "no tensor of a layer (allowed: output/1 to output/3)",
        ),
        ({"intermediate/1": np.ones((2, H))}, "no tensor of a layer"),
        ({"output/1": np.ones((2, 5))}, r"output/1 has the shape (2, 5) (allowed: (k, 16))"),
        ({"output/1": np.ones(H)}, "output/1 has the shape (16,)"),
        ({"output/1": np.zeros((2, H))}, "output/1 has a row that is 0 or not finite"),
        ({"output/1": np.full((2, H), np.nan)}, "output/1 has a row that is 0 or not finite"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path, tensors, says):
    path = tmp_path / "rows.safetensors"
    save_file(tensors, path)
    with pytest.raises(ValueError) as error:
        read_rows(path, TAPS, H)
    assert str(error.value).startswith(str(path)) and says in str(error.value)


def test_a_file_that_is_none_is_named(tmp_path):
    for path in (tmp_path / "missing.safetensors", tmp_path / "broken.safetensors"):
        if path.name.startswith("broken"):
            path.write_bytes(b"no tensors")
        with pytest.raises(ValueError, match=rf"{path.name} cannot be read"):
            read_rows(path, TAPS, H)


def test_too_few_words_are_refused(model):
    with pytest.raises(ValueError, match="16 words have fewer than 16 principal components"):
        basis_rows("principal", model, "output", WORDS[:16], 0)
    with pytest.raises(ValueError, match="at least two words"):
        basis_rows("differences", model, "output", WORDS[:1], 0)


@pytest.mark.parametrize("site", ["output", "intermediate"])
def test_ascent_on_a_basis_is_ascent_on_its_rows_as_directions(model, site):
    rows = basis_rows("principal", model, site, WORDS, 0)
    read = read_in(model, rows)
    starts = np.random.default_rng(0).normal(size=(4, model.embeddings.shape[1]))
    places = [(1, 0), (2, 3), (3, 1)]
    neurons = [(site, layer, index) for layer, index in places]
    own = tx.ascend(read, neurons, groups={"both": neurons[:2]}, start=starts, **HOW)
    directions = {
        f"{layer}/{index}": (site, layer, rows[site, layer][index]) for layer, index in places
    }
    halves = {(site, layer): rows[site, layer][index] / 2 for layer, index in places[:2]}
    expected = tx.ascend(model, directions=directions | {"both": halves}, start=starts, **HOW)
    np.testing.assert_allclose(own.activation, expected.activation, rtol=1e-9)
    np.testing.assert_allclose(own.embedding, expected.embedding, rtol=1e-4, atol=1e-5)
    if site == "output":  # exact for a sum at one output; else a bound, and another one
        np.testing.assert_allclose(own.arrays.ceiling, expected.arrays.ceiling, rtol=1e-9)
    assert (own.activation <= own.arrays.ceiling).all()
    own, expected = own.table(), expected.table()
    for column in ("nearest_cosine", "explanation", "utilisation_best_word"):
        np.testing.assert_allclose(own[column], expected[column], atol=1e-5)


def test_the_groups_of_a_word_are_the_rows_that_it_activates_most(model, features):
    path, _ = features
    rows = basis_rows(path, model, "output", WORDS, 0)
    states = model.word_activations([model.id_of("river")], TAPS)
    projected = {
        (tap.site, tap.layer, index): float(row @ states[tap][0])
        for tap, of_layer in rows.items()
        for index, row in enumerate(of_layer)
    }
    expected = sorted(projected, key=projected.get, reverse=True)
    assert read_in(model, rows).neurons_of("river", 7) == expected[:7]


def test_a_basis_of_a_rotated_model_is_made_of_what_is_read(model):
    tensors = {name: tensor.numpy() for name, tensor in model.tensors.items()}
    rotated = derive("rotated_basis", tensors, model.facts, 1, 0)
    rotated = {name: torch.as_tensor(tensor) for name, tensor in rotated.items()}
    rotated = Model(rotated, model.facts, model.words, model.tokenizer)
    tap = TAPS[1]
    rows = basis_rows("principal", rotated, "output", WORDS, 0)
    own = read_in(rotated, rows).word_activations(WORDS, [tap])[tap]
    expected = rotated.word_activations(WORDS, [tap])[tap] @ rows[tap].T
    np.testing.assert_allclose(own, expected, atol=1e-5)
    # Rotation does not change components: their variances are those of the model's own.
    plain = read_in(model, basis_rows("principal", model, "output", WORDS, 0))
    plain = plain.word_activations(WORDS, [tap])[tap]
    np.testing.assert_allclose(own.std(axis=0), plain.std(axis=0), atol=1e-5)


def test_the_random_basis_is_the_same_for_all_models_of_a_shape(model):
    tensors = {name: tensor.numpy() for name, tensor in model.tensors.items()}
    null = derive("permuted", tensors, model.facts, 1, 0)
    null = Model({name: torch.as_tensor(tensor) for name, tensor in null.items()}, model.facts)
    one, other = (basis_rows("random", of, "output", WORDS, 2) for of in (model, null))
    assert all(np.array_equal(one[tap], other[tap]) for tap in TAPS)
