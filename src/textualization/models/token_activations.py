"""Token activations: every neuron's response at every token of a text."""

import torch

from textualization.errors import RequestError
from textualization.models.transformer import Tap


class TokenPass:
    """A forward pass over whole texts, read at every token of them.

    The model's special tokens stand around a text, as around a word. They are computed and not read.

    Args:
        model: the model (see `textualization.models.model.Model`), read at `word`.
        dtype: `float32` or `float64`; the model's own if None.

    Raises:
        RequestError: the model is read at a special token, within a context, or for minima.
    """

    def __init__(self, model, dtype: str | None = None):
        if model.read != "word":
            raise RequestError(
                f"read: {model.name} is read at {model.read!r}, and not at the tokens of a text "
                "(allowed: a model that was loaded with read='word')"
            )
        if model.context is not None or model.seek != "maximum":
            raise RequestError(
                f"context: {model.name} is read in a context, or for minima, and a text stands alone "
                "(allowed: a model that was loaded without context)"
            )
        self.transformer = transformer = model.transformer(dtype)
        self.device = transformer.device
        self.architecture = architecture = transformer.architecture
        before, after = architecture.before, architecture.after
        # No later token affects an earlier one in a causal model.
        self._before = [before] if before >= 0 else []
        self._after = [after] if after >= 0 and not architecture.causal else []
        self.limit = transformer.positions - len(self._before) - len(self._after)

    def embeddings(self, ids: torch.Tensor) -> torch.Tensor:
        """Return the word embeddings of texts (n, t): (n, t, E)."""
        return self.transformer.word_embeddings[ids.to(self.device)]

    def activations(self, inputs: torch.Tensor, neurons) -> dict[Tap, torch.Tensor]:
        """Compute the activations of neurons at every token.

        Args:
            inputs: embeddings of texts of t tokens each, (n, t, E); t is `limit` at most.
            neurons: the taps, or a dict from taps to indices of neurons.

        Returns:
            Activations by tap, (n, t, number of indices); all neurons if only taps are given.
        """
        first = len(self._before)
        return self._run(inputs, neurons, slice(first, first + inputs.shape[1]))

    def values(self, objectives, inputs: torch.Tensor) -> torch.Tensor:
        """Evaluate objectives at every token.

        Args:
            objectives: m weighted sums, `textualization.ascent.objectives.Objectives`.
            inputs: as of `activations`.

        Returns:
            (n, t, m).
        """
        found = self.activations(inputs, objectives.neurons)
        return sum(found[tap] @ weights.T for tap, weights in objectives.weights.items())

    def before_each(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the last state ahead of every token of a text that has one, (n, tokens, H)."""
        tap = Tap("output", self.transformer.layers)
        count = len(self._before) + inputs.shape[1] - 1
        return self._run(inputs, [tap], slice(0, count))[tap]

    def _run(self, inputs, neurons, read: slice) -> dict[Tap, torch.Tensor]:
        """Compute the activations of neurons at some tokens, special ones counted."""
        network, everything = self.transformer, slice(None)
        requested = neurons if isinstance(neurons, dict) else dict.fromkeys(neurons, everything)
        deepest, found = max(tap.layer for tap in requested), {}
        states = self._begin(inputs)
        bias = network.score_bias(len(states))
        if bias is not None:
            bias = bias.permute(2, 0, 1)
        for layer in range(1, deepest + 1):
            rows = read if layer == deepest else everything
            states = self._attention(layer, states, rows, bias)
            states, inner = network.blocks[layer - 1].feed_forward(states)
            place = everything if layer == deepest else read
            for tap, whole in ((Tap("intermediate", layer), inner), (Tap("output", layer), states)):
                if tap in requested:
                    kept = network.neurons(tap, whole[place].flatten(0, 1), requested[tap])
                    found[tap] = kept.unflatten(0, (-1, len(inputs))).transpose(0, 1)
        return found

    def _begin(self, inputs) -> torch.Tensor:
        """Return the first block's input, token-major: (tokens, n, H)."""
        network, (n, t, _) = self.transformer, inputs.shape
        if not 0 < t <= self.limit:
            raise ValueError(f"a text of {t} tokens cannot be read (allowed: 1 to {self.limit})")
        before, after = (
            network.word_embeddings[ids][:, None].expand(-1, n, -1)
            for ids in (self._before, self._after)
        )
        words = torch.cat([before, inputs.transpose(0, 1), after])
        return network.embed(words, network.added(len(words))[:, None])

    def _attention(self, layer, states, rows, bias) -> torch.Tensor:
        """Return attention's residual sum at some rows of states (tokens, n, H)."""
        network, block = self.transformer, self.transformer.blocks[layer - 1]
        q, k, v = network.queries_keys_values(layer, states, rows, slice(0, len(states)))
        bias = None if bias is None else bias[:, rows]
        attended = network.heads.attend_by_products(q, k, v, bias)
        return block.after_attention(states[rows], attended)
