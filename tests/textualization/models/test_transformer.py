"""The lean forward pass is the transformers model's, in value and in gradient."""

import pytest
import torch

import reference
from textualization.models.transformer import SITES, Tap
from tiny import FRAME, load_tiny


def inputs_for(model, n=5):
    generator = torch.Generator().manual_seed(3)
    return torch.randn(n, model.hidden, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("read", reference.POSITION)
@pytest.mark.parametrize("name", ["tiny-wide", "tiny-deep"])
def test_every_layer_equals_transformers_in_value_and_gradient(name, read, site):
    frozen, whole = load_tiny(name, read=read)
    for tap in (Tap(site, layer) for layer in range(1, frozen.layers + 1)):
        values, gradients = [], []
        for compute in (
            lambda x, tap=tap: frozen.activations(x, [tap])[tap],
            lambda x, tap=tap: reference.activations(whole, x, *tap, FRAME, read),
        ):
            x = inputs_for(frozen).requires_grad_()
            value = compute(x)
            weights = torch.linspace(-1, 2, value.numel(), dtype=torch.float64).view_as(value)
            (gradient,) = torch.autograd.grad((value * weights).sum(), x)
            values.append(value.detach())
            gradients.append(gradient)
        torch.testing.assert_close(*values, rtol=1e-11, atol=1e-11)
        torch.testing.assert_close(*gradients, rtol=1e-10, atol=1e-11)


def test_taps_read_together_equal_taps_read_alone(tiny):
    frozen, _ = tiny
    x = inputs_for(frozen)
    taps = [Tap(site, layer) for site in SITES for layer in range(1, frozen.layers + 1)]
    together = frozen.activations(x, taps)
    assert set(together) == set(taps)
    for tap in taps:
        alone = frozen.activations(x, [tap])[tap]
        torch.testing.assert_close(together[tap], alone, rtol=1e-12, atol=1e-12)


def test_a_word_is_read_as_transformers_reads_its_id(tiny):
    frozen, whole = tiny
    ids = torch.tensor([[FRAME[0], word, FRAME[1]] for word in (20, 33, 399)])
    states = whole(input_ids=ids, output_hidden_states=True).hidden_states
    words = frozen.word_embeddings[ids[:, 1]]
    for layer in range(1, frozen.layers + 1):
        found = frozen.activations(words, [Tap("output", layer)])[Tap("output", layer)]
        torch.testing.assert_close(found, states[layer][:, 1], rtol=1e-11, atol=1e-11)


def test_ceilings_bound_every_neuron_and_group_for_any_input(tiny):
    frozen, _ = tiny
    generator = torch.Generator().manual_seed(0)
    scale = torch.logspace(-2, 4, 600, dtype=torch.float64)[:, None]
    x = scale * torch.randn(600, frozen.hidden, generator=generator, dtype=torch.float64)
    for site in SITES:
        for layer in range(1, frozen.layers + 1):
            tap = Tap(site, layer)
            found = frozen.activations(x, [tap])[tap]
            width = frozen.width(site)
            single = frozen.ceiling(tap, torch.eye(width, dtype=torch.float64))
            assert (found.max(dim=0).values <= single + 1e-9).all()
            group = torch.rand(4, width, generator=generator, dtype=torch.float64)
            assert ((found @ group.T).max(dim=0).values <= frozen.ceiling(tap, group) + 1e-9).all()


def test_an_unknown_non_linearity_is_refused_by_name():
    from textualization.models.conversion import convert
    from textualization.models.transformer import FrozenTransformer

    tensors, facts = convert(reference_folder())
    with pytest.raises(ValueError, match="swish.*known: gelu"):
        FrozenTransformer(tensors, facts | {"activation": "swish"})


def reference_folder():
    from paths import DATA

    return DATA / "tiny-wide"
