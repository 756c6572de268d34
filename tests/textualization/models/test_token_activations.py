"""Every token of a text is read as transformers reads it, in every family, in float64."""

import pytest
import torch
from test_families import CASES, LAYERS, Case, all_taps, as_transformers, case_of  # noqa: F401

from textualization.errors import RequestError
from textualization.models.model import Model
from textualization.models.token_activations import TokenPass
from textualization.models.transformer import Tap

TOKENS = 64  # the longest input of models whose positions have no table


@pytest.fixture(params=CASES)
def case(request, case_of):  # noqa: F811
    return case_of(request.param)


def passing(case: Case) -> TokenPass:
    return TokenPass(Model(case.tensors, case.facts), "float64")


def texts(case: Case, count: int, tokens: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(tokens)
    return torch.randint(8, 60, (count, tokens), generator=generator)


def expected_by(case: Case, ids: torch.Tensor) -> dict[Tap, torch.Tensor]:
    """What transformers computes from the ids alone, at the text's own tokens."""
    around = [ids if i is None else torch.full((len(ids), 1), i) for i in case.frame]
    first = case.frame.index(None)
    found = as_transformers(case, ids=torch.cat(around, dim=1))
    return {tap: states[:, first : first + ids.shape[1]] for tap, states in found.items()}


@pytest.mark.parametrize("tokens", [1, 2, 7])
def test_every_token_of_every_layer_and_site_equals_transformers(case, tokens):
    ids, reading = texts(case, 4, tokens), passing(case)
    expected = expected_by(case, ids)
    found = reading.activations(reading.embeddings(ids), all_taps())
    assert set(found) == set(all_taps())
    for tap in all_taps():
        assert found[tap].shape == expected[tap].shape
        assert found[tap].std() > 1e-3
        torch.testing.assert_close(found[tap], expected[tap], rtol=1e-10, atol=1e-10)


def test_some_neurons_of_one_place_are_those_and_a_text_alone_is_read_alike(case):
    ids, reading = texts(case, 3, 5), passing(case)
    e = reading.embeddings(ids)
    together = reading.activations(e, all_taps())
    some = torch.tensor([7, 2, 2])
    for tap in all_taps():
        found = reading.activations(e, {tap: some})[tap]
        torch.testing.assert_close(found, together[tap][:, :, some], rtol=1e-12, atol=1e-12)
        alone = reading.activations(e[1:2], [tap])[tap]
        torch.testing.assert_close(alone, together[tap][1:2], rtol=1e-12, atol=1e-12)


def test_gradients_equal_those_of_transformers(case):
    ids, reading = texts(case, 2, 4), passing(case)
    first = case.frame.index(None)
    for tap in (Tap("output", LAYERS), Tap("intermediate", 2)):
        gradients = []
        for compute in (
            lambda x, tap=tap: reading.activations(x, [tap])[tap],
            lambda x, tap=tap: as_transformers(case, x.flatten(1))[tap][:, first : first + 4],
        ):
            x = reading.embeddings(ids).clone().requires_grad_()
            value = compute(x)
            weights = torch.linspace(-1, 2, value.numel(), dtype=torch.float64).view_as(value)
            gradients.append(torch.autograd.grad((value * weights).sum(), x)[0])
        assert gradients[0].abs().max() > 1e-6
        torch.testing.assert_close(*gradients, rtol=1e-9, atol=1e-10)


def test_the_last_state_ahead_of_every_token_is_transformers(case):
    if not case.architecture.causal:
        pytest.skip("states ahead of a token are of use in causal models")
    ids, reading = texts(case, 3, 5), passing(case)
    around = [ids if i is None else torch.full((len(ids), 1), i) for i in case.frame]
    whole = as_transformers(case, ids=torch.cat(around, dim=1))[Tap("output", LAYERS)]
    before = case.frame.index(None)
    found = reading.before_each(reading.embeddings(ids))
    assert found.shape[1] == before + 4
    torch.testing.assert_close(found, whole[:, : before + 4], rtol=1e-10, atol=1e-10)


def test_texts_as_long_as_the_model_reads_are_read_and_longer_ones_refused(case):
    reading, around = passing(case), len(case.frame) - 1
    unbounded = "position_embeddings" not in case.tensors
    assert reading.limit == (TOKENS if unbounded else positions(case)) - around
    ids = texts(case, 1, reading.limit)
    found = reading.activations(reading.embeddings(ids), [Tap("output", 2)])
    torch.testing.assert_close(
        found["output", 2], expected_by(case, ids)["output", 2], rtol=1e-10, atol=1e-10
    )
    with pytest.raises(ValueError, match=f"text of {reading.limit + 1} tokens .*1 to "):
        reading.activations(reading.embeddings(texts(case, 1, reading.limit + 1)), all_taps())


def positions(case: Case) -> int:
    """Positions of config.json; RoBERTa's and MPNet's begin behind the padding entry."""
    skipped = case.whole.config.pad_token_id + 1 if case.family in ("roberta", "mpnet") else 0
    return case.whole.config.max_position_embeddings - skipped


def test_a_model_read_at_a_special_token_is_refused(case_of):  # noqa: F811
    given = case_of("bert")
    with pytest.raises(RequestError, match="read: model is read at 'cls'.*read='word'"):
        TokenPass(Model(given.tensors, given.facts, read="cls"))
