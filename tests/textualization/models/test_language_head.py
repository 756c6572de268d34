"""Log-probabilities of texts are those of transformers' own causal models."""

import json

import pytest
import torch
import transformers

import textualization as tx
from make_tiny_families import write_family
from textualization.models.language_head import LanguageHead
from textualization.models.token_activations import TokenPass


@pytest.fixture(params=["gpt2", "llama"])
def folder(request, tmp_path):
    """A tiny causal model whose head is tied."""
    write_family(tmp_path, request.param)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tie_word_embeddings": True}))
    return tmp_path


def log_probabilities(folder, texts, before):
    """(n, t): every token given all before it, by transformers; the first given `before`."""
    whole = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
    rows = torch.cat([torch.full((len(texts), 1), before), texts], dim=1)
    with torch.no_grad():
        logits = whole(input_ids=rows).logits
    return logits.log_softmax(-1)[:, :-1].gather(2, texts[..., None])[..., 0]


def head_of(folder, tokens, **options):
    model = tx.load(folder, device="cpu", **options)
    reading = TokenPass(model, "float64")
    return model, reading, LanguageHead(model, reading, tokens)


TEXTS = torch.randint(8, 50, (5, 4), generator=torch.Generator().manual_seed(4))


def test_the_mean_is_that_of_transformers(folder):
    model, reading, head = head_of(folder, 4)
    expected = log_probabilities(folder, TEXTS, model.architecture.before)
    # Transformers computes RMSNorm and rotary positions in float32.
    torch.testing.assert_close(
        head.mean(TEXTS, reading.embeddings(TEXTS)), expected.mean(dim=1), rtol=1e-5, atol=1e-6
    )
    assert expected.std() > 0.01


def test_without_a_special_token_before_it_the_first_token_has_no_probability(folder):
    model, reading, head = head_of(folder, 4, frame={"before": None})
    whole = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
    with torch.no_grad():
        logits = whole(input_ids=TEXTS).logits.log_softmax(-1)
    expected = logits[:, :-1].gather(2, TEXTS[:, 1:, None])[..., 0].mean(dim=1)
    found = head.mean(TEXTS, reading.embeddings(TEXTS))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    assert head.share_of(TEXTS[0], 0, torch.arange(20)).eq(0).all()
    with pytest.raises(tx.RequestError, match="nothing stands before the only token"):
        LanguageHead(model, reading, 1)


@pytest.mark.parametrize("position", [0, 3])
def test_the_share_of_words_is_their_own_part_of_the_mean(folder, position):
    model, _, head = head_of(folder, 4)
    words = torch.arange(8, 30)
    texts = TEXTS[:1].repeat(len(words), 1)
    texts[:, position] = words
    expected = log_probabilities(folder, texts, model.architecture.before)[:, position] / 4
    found = head.share_of(TEXTS[0], position, words)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_models_without_a_tied_head_are_refused(folder, tmp_path):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tie_word_embeddings": False}))
    with pytest.raises(tx.RequestError, match="fluency: the language head of .* tied to its word"):
        head_of(folder, 4)
    write_family(tmp_path / "bert", "bert")
    with pytest.raises(tx.RequestError, match="fluency: bert predicts no next token .allowed"):
        head_of(tmp_path / "bert", 4)
