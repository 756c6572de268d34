"""The language head of a causal model: how likely a text is."""

import torch

from textualization.errors import RequestError
from textualization.models.token_activations import TokenPass


class LanguageHead:
    """Log-probabilities of the tokens of texts, by a head that is tied to the word embeddings.

    The logits are the last state, after the final norm, times Eᵀ. A text's first token has a
    probability if a special token stands before it.

    Args:
        model: the model.
        reading: its pass over texts.
        tokens: number of tokens of the texts.

    Raises:
        RequestError: the model predicts no next token, its head is not known to be tied to its
            embeddings, or no token has one before it.
    """

    def __init__(self, model, reading: TokenPass, tokens: int):
        architecture = model.architecture
        if not architecture.causal:
            raise RequestError(
                f"fluency: {model.name} predicts no next token (allowed: causal models, as GPT-2 and "
                "LLaMA)"
            )
        if not model.tied:
            raise RequestError(
                f"fluency: the language head of {model.name} is not known to be tied to its word "
                "embeddings (allowed: models whose config.json has tie_word_embeddings: true)"
            )
        self._reading, self._head = reading, reading.transformer.word_embeddings
        self._first = 0 if architecture.before >= 0 else 1
        if tokens <= self._first:
            raise RequestError(
                "fluency: nothing stands before the only token of a text (allowed: tokens from 2)"
            )

    def mean(self, ids: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        """Return the mean log-probability of the tokens of texts (n, t), in nats: (n,).

        inputs: their embeddings, (n, t, E).
        """
        predicted = torch.log_softmax(self._reading.before_each(inputs) @ self._head.T, dim=-1)
        own = ids[:, self._first :, None].to(predicted.device)
        return predicted.gather(2, own)[..., 0].mean(dim=1)

    def share_of(self, ids: torch.Tensor, position: int, words: torch.Tensor) -> torch.Tensor:
        """Return what words at a position add to the mean by their own log-probability there.

        Args:
            ids: the text, (t,).
            position: the position, from 0.
            words: ids of the words, (C,).

        Returns:
            (C,); zeros at a position that has no token before it.
        """
        place, count = position - self._first, len(ids) - self._first
        if place < 0:
            return self._head.new_zeros(len(words))
        with torch.inference_mode():
            states = self._reading.before_each(self._reading.embeddings(ids[None]))
            predicted = torch.log_softmax(states[0, place] @ self._head.T, dim=-1)
        return (predicted[words] / count).clone()
