"""How a study reads its models: what it says of it, and that every job reads them so."""

import numpy as np
import pandas as pd
import pytest
from safetensors.torch import save_file

import textualization as tx
from paths import DATA
from settings import changed, complaints, shipped
from study.config import reading
from study.models import open_model
from study.results import coordinates
from textualization.models.conversion import convert
from textualization.models.layernorm import expected_magnitude, expected_maximum
from textualization.models.transformer import Tap

TAPS = [Tap(site, layer) for site in ("output", "intermediate") for layer in (1, 2, 3)]
SENTENCE = ("context", "the {} sat on the mat")
MINIMA = ("seek", "minimum")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    tensors, facts = convert(DATA / "tiny-deep")
    path = tmp_path_factory.mktemp("model") / "frozen.safetensors"
    save_file(tensors, path, metadata=facts)
    return path


def test_what_differs_from_maxima_of_x_alone_is_said():
    usual, sentence, minima = shipped(), changed(SENTENCE), changed(MINIMA)
    assert reading.is_usual(usual) and reading.note(usual) == ""
    assert reading.in_short(usual) == "read at word"
    assert not reading.is_usual(sentence) and not reading.is_usual(minima)
    assert "“the {} sat on the mat”" in reading.note(sentence)
    assert reading.in_short(sentence) == "read at word in “the {} sat on the mat”"
    assert "opposite sign" in reading.note(minima) and "minima" in reading.in_short(minima)
    assert reading.reading(minima) == {"read": "word", "seek": "minimum", "dtype": "float64"}


def test_a_study_from_before_these_settings_sought_maxima_of_x_alone():
    old = shipped()
    del old["seek"], old["context"]
    assert reading.reading(old) == reading.reading(shipped())
    assert reading.is_usual(old) and reading.note(old) == ""


def test_several_free_positions_are_refused_in_a_sentence():
    settings = changed(SENTENCE, ("run", ["input_length"]))
    assert all("within a context, which has one x; take null" in c for c in complaints(settings))
    assert complaints(settings) and not complaints(changed(SENTENCE, MINIMA))


def test_a_job_reads_the_sentence_and_the_sign(weights, tmp_path):
    loaded = tx.load(DATA / "tiny-deep", context="river {} green", device="cpu")
    loaded.context.save(tmp_path / "context.json")
    how = {"read": "word", "dtype": "float64"}
    ids = np.array([20, 23, 40])
    plain = open_model(weights, how | {"seek": "maximum"}).word_activations(ids, TAPS)
    there, negated = (
        open_model(weights, how | {"seek": seek}, context=tmp_path / "context.json")
        for seek in ("maximum", "minimum")
    )
    assert there.context == loaded.context
    in_sentence, opposite = (model.word_activations(ids, TAPS) for model in (there, negated))
    for tap, expected in loaded.word_activations(ids, TAPS).items():
        np.testing.assert_allclose(in_sentence[tap], expected, rtol=1e-4, atol=1e-5)
        assert np.abs(in_sentence[tap] - plain[tap]).max() > 1e-3
        assert np.array_equal(opposite[tap], -in_sentence[tap])


def test_the_maximum_of_a_negated_neuron_is_its_minimum(weights):
    """Against the library's own minima, which have the sign in the objective."""
    how = {"read": "word", "dtype": "float64"}
    names = ["output/2/3", "intermediate/3/4", "output/3/7"]
    ascent = {"solver": "lbfgs", "steps": 25, "dtype": "float64"}
    negated = tx.ascend(open_model(weights, how | {"seek": "minimum"}), names, **ascent)
    plain = open_model(weights, how | {"seek": "maximum"})
    minima = tx.ascend(plain, [f"-{name}" for name in names], **ascent)
    assert np.array_equal(negated.embedding, minima.embedding)
    np.testing.assert_allclose(negated.activation, -minima.activation, rtol=1e-12)
    np.testing.assert_allclose(negated.arrays.ceiling, -minima.floor, rtol=1e-12)
    np.testing.assert_allclose(negated.floor, -minima.arrays.ceiling, rtol=1e-12)
    assert (negated.activation <= negated.arrays.ceiling + 1e-9).all()


def test_layernorms_geometry_of_negated_neurons(weights):
    """The expected maximum of −(γn + β) over words, by simulation."""
    neurons = pd.DataFrame({"site": "output", "layer": 2, "index": range(16)})
    tensors, _ = convert(DATA / "tiny-deep")
    gain, bias = (tensors[f"block.2.output_norm.{name}"].numpy() for name in ("gain", "bias"))
    n = np.random.default_rng(0).standard_normal((4000, 200))
    drawn = -(gain[:, None, None] * n + bias[:, None, None])
    found = coordinates(neurons, weights, lambda g, b: expected_maximum(g, b, 200), sign=-1)
    np.testing.assert_allclose(found, drawn.max(axis=2).mean(axis=1), atol=0.03)
    assert (
        np.abs(
            found - coordinates(neurons, weights, lambda g, b: expected_maximum(g, b, 200))
        ).max()
        > 0.05
    )
    magnitude = coordinates(neurons, weights, expected_magnitude, sign=-1)
    np.testing.assert_allclose(magnitude, coordinates(neurons, weights, expected_magnitude))
