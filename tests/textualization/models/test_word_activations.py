"""Neurons summarised over words, a few layers at a time."""

import numpy as np
import pandas as pd
import pytest

from textualization.analysis.activation_summaries import neuron_summary
from textualization.models import word_activations
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
