"""Neurons summarised over words, a few layers at a time."""

import numpy as np
import pandas as pd
import pytest
import torch

from paths import DATA
from textualization.analysis.activation_summaries import neuron_summary
from textualization.models import word_activations
from textualization.models.conversion import convert
from textualization.models.model import Model
from textualization.models.transformer import Tap
from tiny import load_tiny

SITES = ("output", "intermediate")


@pytest.mark.parametrize("held", [1, 3 * 4 * 400 * 16, 2**40])
def test_summaries_are_those_of_all_layers_at_once(monkeypatch, held):
    model, _ = load_tiny("tiny-deep")
    reference = np.arange(3, 390, 2)
    monkeypatch.setattr(word_activations, "HELD", held)
    taps = word_activations.all_taps(model, SITES)
    found = word_activations.summarise_neurons(model, reference, taps)
    whole = word_activations.word_activations(model, reference, taps)
    expected = [
        neuron_summary(a, np.ones(len(a), dtype=bool), top=1).assign(site=tap.site, layer=tap.layer)
        for tap, a in whole.items()
    ]
    expected = pd.concat(expected, ignore_index=True)
    expected["top_words"] = [reference[places] for places in expected["top_words"]]
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert len(found) == 3 * (16 + 32)


def test_all_taps_are_listed_site_by_site():
    model, _ = load_tiny("tiny-deep")
    expected = [Tap(site, layer) for site in SITES for layer in (1, 2, 3)]
    assert word_activations.all_taps(model, SITES) == expected


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_batches_of_words_are_all_words_in_their_order(batch):
    model, _ = load_tiny("tiny-deep")
    ids, taps = np.arange(390, 370, -1), word_activations.all_taps(model, SITES)
    whole = word_activations.word_activations(model, ids, taps)
    found = list(word_activations.in_batches(model, ids, taps, batch))
    assert [ids[rows].tolist() for rows, _ in found] == [
        ids[first : first + batch].tolist() for first in range(0, len(ids), batch)
    ]
    for tap in taps:
        together = np.concatenate([of_batch[tap] for _, of_batch in found])
        assert together.dtype == np.float32
        np.testing.assert_allclose(together, whole[tap], rtol=1e-6, atol=1e-6)


def test_a_model_of_float64_computes_activations_in_it_and_gives_them_in_float32():
    single, double = (Model(*convert(DATA / "tiny-deep"), dtype=d) for d in ("float32", "float64"))
    ids, taps = np.arange(400), word_activations.all_taps(single, SITES)
    exact, _ = load_tiny("tiny-deep")
    with torch.inference_mode():
        expected = exact.activations(exact.word_embeddings[torch.from_numpy(ids)], taps)
    coarse, fine = (model.word_activations(ids, taps) for model in (single, double))
    for tap in taps:
        assert fine[tap].dtype == coarse[tap].dtype == np.float32
        # The nearest float32 of every value, however batches are cut.
        assert np.array_equal(fine[tap], expected[tap].numpy().astype(np.float32))
    assert any((fine[tap] != coarse[tap]).any() for tap in taps)
    assert double.transformer(read="cls").dtype == torch.float64
    assert single.transformer().dtype == torch.float32 == double.transformer("float32").dtype
