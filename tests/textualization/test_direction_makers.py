"""Directions made of words, components, random numbers and files, against transformers and numpy."""

import numpy as np
import pytest
import torch
import transformers
from safetensors.numpy import save_file

import textualization as tx
from paths import DATA
from textualization.analysis.direction_vectors import rows_in
from textualization.direction_files import shapes_in

FOLDER = DATA / "tiny-deep"
H = 16


@pytest.fixture(scope="module")
def model():
    return tx.load(FOLDER, device="cpu")


@pytest.fixture(scope="module")
def states(model):
    """Transformers' outputs of layer 2 for `[CLS] w [SEP]`, read at w: a function of ids, (n, H)."""
    bert = transformers.AutoModel.from_pretrained(FOLDER, dtype=torch.float64).eval()

    def of(ids):
        rows = torch.tensor([[2, int(i), 3] for i in ids])
        return bert(rows, output_hidden_states=True).hidden_states[2][:, 1].detach().numpy()

    return of


def unit(vector):
    return vector / np.linalg.norm(vector)


def test_directions_of_words_are_those_of_transformers_states(model, states):
    a, b, c = states([model.id_of(word) for word in ("river", "apple", "tiger")])
    site, layer, vector = tx.word_difference(model, ["river", "apple"], ["tiger"], 2)
    assert (site, layer) == ("output", 2)
    np.testing.assert_allclose(vector, unit((a + b) / 2 - c), atol=1e-5)
    *_, vector = tx.word_direction(model, "river", layer=2)
    np.testing.assert_allclose(vector, unit(a), atol=1e-5)


def test_a_words_own_direction_is_inverted_to_near_the_word(model):
    words = ["river", "apple", "tiger"]
    directions = {word: tx.word_direction(model, word, layer=1) for word in words}
    found = tx.ascend(model, directions=directions, solver="lbfgs", steps=40, dtype="float64")
    assert found.table()["recovered"].mean() > 0.5


def test_principal_components_are_the_singular_vectors_of_the_words_states(model, states):
    a = states(np.flatnonzero(model.candidates))
    _, _, v = np.linalg.svd(a - a.mean(axis=0), full_matrices=False)
    found = tx.principal_components(model, 4, layer=2)
    assert list(found) == [f"output/2/pc{k}" for k in (1, 2, 3, 4)]
    for (site, layer, vector), expected in zip(found.values(), v, strict=False):
        assert (site, layer) == ("output", 2) and vector[np.abs(vector).argmax()] > 0
        assert abs(vector @ expected) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("site", ["output", "intermediate"])
def test_random_directions_are_orthonormal_and_drawn_by_seed_and_place(model, site):
    def drawn(count, seed=0, layer=2):
        found = tx.random_directions(model, count, layer, site, seed)
        return np.stack([vector for *_, vector in found.values()])

    width = model.width(site)
    whole = drawn(width)
    np.testing.assert_allclose(whole @ whole.T, np.eye(width), atol=1e-12)
    np.testing.assert_allclose(drawn(3), whole[:3], atol=1e-12)
    assert np.array_equal(drawn(3), drawn(3))
    for other in (drawn(3, seed=1), drawn(3, layer=1)):
        assert np.abs(other - whole[:3]).max() > 0.1
    # Uniform: the first entry has mean 0, so no sign is preferred.
    first = [drawn(1, seed)[0, 0] for seed in range(200)]
    assert 70 < np.sum(np.array(first) > 0) < 130


def test_files_hold_one_direction_or_several_by_name(model, tmp_path):
    rows = np.random.default_rng(0).standard_normal((2, H)).astype(np.float32)
    save_file({"one": rows[0], "more": rows}, tmp_path / "d.safetensors")
    np.save(tmp_path / "mine.npy", rows)
    found = tx.read_directions(tmp_path / "d.safetensors", layer=3)
    assert sorted(found) == ["more/1", "more/2", "one"]
    found |= tx.read_directions(str(tmp_path / "mine.npy"), layer=3)
    for name, row in {"one": 0, "more/2": 1, "mine/1": 0, "mine/2": 1}.items():
        site, layer, vector = found[name]
        assert (site, layer) == ("output", 3)
        np.testing.assert_allclose(vector, unit(rows[row].astype(float)), rtol=1e-6)
    optima = tx.ascend(model, directions=found, solver="lbfgs", steps=3)
    assert optima.table()["objective"].tolist() == list(found)


@pytest.mark.parametrize("kind", ["<f2", "<f4", "<f8", ">f4", "<i8"])
@pytest.mark.parametrize("shape", [(H,), (3, H)])
def test_headers_say_what_numpy_reads(tmp_path, kind, shape):
    array = np.arange(1, 1 + np.prod(shape)).reshape(shape).astype(kind)
    np.save(tmp_path / "d.npy", array)
    np.save(tmp_path / "fortran.npy", np.asfortranarray(array))
    assert shapes_in(tmp_path / "d.npy") == {"d": shape}
    assert shapes_in(tmp_path / "fortran.npy") == {"fortran": shape}
    save_file({"a": array.astype(kind[1:]), "b.c": array.astype("f4")}, tmp_path / "d.safetensors")
    assert shapes_in(tmp_path / "d.safetensors") == {"a": shape, "b.c": shape}
    rows = [unit(row) for row in np.atleast_2d(array.astype(float))]
    for path in ("d.npy", "fortran.npy"):
        np.testing.assert_allclose(list(rows_in(tmp_path / path).values()), rows, rtol=1e-6)


def test_two_directions_of_one_name_are_refused(tmp_path):
    save_file({"a": np.ones((2, H)), "a/2": np.ones(H)}, tmp_path / "d.safetensors")
    with pytest.raises(tx.RequestError, match="has two directions of the name a/2"):
        tx.read_directions(tmp_path / "d.safetensors", layer=1)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda m: tx.word_direction(m, "rivers", 1), "'rivers' is not one entry"),
        (
            lambda m: tx.word_direction(m, "river", 4),
            "layer: 4 is not a layer of tiny-deep (layers 1",
        ),
        (
            lambda m: tx.word_direction(m, "river", 1, "mlp"),
            "site: 'mlp' is not one of output, int",
        ),
        (lambda m: tx.word_difference(m, "river", ["apple"], 1), "words: 'river' is not valid"),
        (
            lambda m: tx.word_difference(m, ["river"], [], 1),
            "others: [] is not valid (allowed: a li",
        ),
        (lambda m: tx.word_difference(m, ["river"], ["river"], 1), "words, others: the difference"),
        (lambda m: tx.principal_components(m, 17, 1), "count: 17 is not valid (allowed: 1 to 16)"),
        (lambda m: tx.random_directions(m, 0, 1), "count: 0 is not valid (allowed: 1 to 16)"),
    ],
)
def test_bad_input_is_named_with_what_is_allowed(model, call, says):
    with pytest.raises(tx.RequestError) as error:
        call(model)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("d.csv", b"1", "is of no known kind (allowed: .safetensors, .npy)"),
        ("d.npy", b"1", "cannot be read"),
        ("d.safetensors", b"1", "cannot be read"),
        ("gone.npy", None, "cannot be read"),
        ("d.npy", np.ones((2, H), dtype=complex), "d holds C128 (allowed: F16, F32, F64, I8"),
        ("d.npy", np.full((2, H), np.nan), "d/1 is zero or not finite: no direction"),
        ("d.npy", np.ones((0, H)), "d has the shape (0, 16)"),
        ("d.npy", np.zeros((2, H)), "d/1 is zero or not finite: no direction"),
        ("d.npy", np.ones((2, 2, H)), "d has the shape (2, 2, 16) (allowed: (width,), (k, width))"),
    ],
)
def test_a_file_that_holds_no_directions_is_refused(tmp_path, name, content, says):
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.save(path, content)
    with pytest.raises(tx.RequestError) as error:
        tx.read_directions(path, layer=1)
    assert str(path) in str(error.value) and says in str(error.value)
