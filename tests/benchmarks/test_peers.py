"""The benchmark's contenders do the same work as the engine, on the same weights."""

import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoModel

from ascents import ascend, starts_for
from paths import DATA
from peers import batched, from_frozen, literal, random_bert
from textualization.models.conversion import convert
from textualization.models.transformer import FrozenTransformer, Tap
from tiny import FRAME, TINY

RATE, STEPS = 1001.0, 50


@pytest.fixture(params=TINY)
def folder_and_file(request, tmp_path):
    """A tiny model as transformers reads it, and frozen."""
    folder, file = DATA / request.param, tmp_path / "frozen.safetensors"
    tensors, facts = convert(folder)
    save_file(tensors, file, metadata=facts)
    return folder, file


def close(found, expected, tolerance=1e-9):
    error = torch.linalg.norm(found - expected, dim=-1) / torch.linalg.norm(expected, dim=-1)
    return error.max() <= tolerance


@pytest.mark.parametrize("layer", [1, 2])
def test_literal_batched_and_the_engine_end_at_the_same_inputs(folder_and_file, layer):
    _, file = folder_and_file
    frozen = FrozenTransformer.load(file, dtype=torch.float64)
    whole = from_frozen(file).double()
    neurons = [(layer, index) for index in (0, 3, 8)]
    x0, start = starts_for(frozen, len(neurons))
    ours = ascend(frozen, [[("output", *n)] for n in neurons], start, STEPS, options={"rate": RATE})
    assert not close(ours.embedding, start, 1e-2)  # it has moved
    for peer in (literal, batched):
        ticks = []
        e, activations = peer(whole, neurons, x0, STEPS, RATE, FRAME, lambda t=ticks: t.append(0))
        assert close(e, ours.embedding)
        torch.testing.assert_close(activations, ours.activation, rtol=1e-9, atol=0)
        assert len(ticks) == STEPS * (len(neurons) if peer is literal else 1)
    assert all(parameter.grad is None for parameter in whole.parameters())


def test_batched_refuses_neurons_of_several_layers(folder_and_file):
    whole = from_frozen(folder_and_file[1])
    with pytest.raises(ValueError):
        batched(whole, [(1, 0), (2, 0)], torch.zeros(2, 400), 1, RATE, FRAME)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_from_frozen_is_the_model_that_was_frozen(folder_and_file, attention):
    folder, file = folder_and_file
    theirs = AutoModel.from_pretrained(folder, dtype=torch.float64).eval()
    ours = from_frozen(file, attention).double()
    assert ours.config._attn_implementation == attention
    inputs = torch.randn(5, 3, ours.config.hidden_size, dtype=torch.float64)
    found, expected = (
        model(inputs_embeds=inputs, output_hidden_states=True).hidden_states
        for model in (ours, theirs)
    )
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
    assert torch.equal(*(m.embeddings.word_embeddings.weight for m in (ours, theirs)))


def test_random_bert_is_the_same_model_twice_over():
    shape = {"layers": 2, "hidden": 24, "heads": 4, "intermediate": 48, "words": 100}
    whole, tensors, facts = random_bert(**shape, seed=5, frame=FRAME)
    again, *_ = random_bert(**shape, seed=5, frame=FRAME)
    other, *_ = random_bert(**shape, seed=6, frame=FRAME)
    assert set(tensors) == set(convert(DATA / "tiny-wide")[0]) and facts["layers"] == "2"
    first = [m.embeddings.word_embeddings.weight for m in (whole, again, other)]
    assert torch.equal(first[0], first[1]) and not torch.equal(first[0], first[2])
    assert float(first[0].std()) == pytest.approx(0.02, rel=0.1)
    frozen = FrozenTransformer(tensors, facts, dtype=torch.float64)
    whole = whole.double()
    words = whole.embeddings.word_embeddings.weight
    inputs = torch.stack([words[2], words[50], words[3]])[None]
    states = whole(inputs_embeds=inputs, output_hidden_states=True).hidden_states
    found = frozen.activations(words[50:51], [Tap("output", 2)])[Tap("output", 2)]
    torch.testing.assert_close(found, states[2][:, 1], rtol=1e-10, atol=1e-10)
