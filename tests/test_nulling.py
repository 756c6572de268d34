"""A null model's neurons over the vocabulary, a few layers at a time."""

import numpy as np
import pandas as pd
import pytest

import nulling
from conftest import load_tiny
from textualization.words import neuron_summary


@pytest.mark.parametrize("held", [1, 3 * 4 * 400 * 16, 2**40])
def test_summaries_are_those_of_all_layers_at_once(monkeypatch, held):
    model, _ = load_tiny("tiny-deep")
    reference = np.arange(3, 390, 2)
    monkeypatch.setattr(nulling, "HELD", held)
    found = nulling.summaries(model, reference, ["output", "intermediate"])
    whole = nulling.word_activations(
        model, reference, nulling.all_taps(model, ["output", "intermediate"])
    )
    expected = [
        neuron_summary(a, np.ones(len(a), dtype=bool), top=1).assign(site=tap.site, layer=tap.layer)
        for tap, a in whole.items()
    ]
    expected = pd.concat(expected, ignore_index=True)
    expected["top_words"] = [reference[places] for places in expected["top_words"]]
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert len(found) == 3 * (16 + 32)
