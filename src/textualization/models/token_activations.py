"""Token activations: every neuron's response at every token of a text."""

import math

import torch
import torch.nn.functional as F

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
        self.architecture, self.device = transformer.architecture, transformer.device
        used = ("position_embeddings", "type_embedding", "relative_bias", "constant.buckets")
        self._tensors = {
            name: self._moved(model.tensors[name]) for name in used if name in model.tensors
        }
        before, after = self.architecture.before, self.architecture.after
        # No later token affects an earlier one in a causal model.
        self._before = [before] if before >= 0 else []
        self._after = [after] if after >= 0 and not self.architecture.causal else []
        self.limit = self._positions(model.tensors) - len(self._before) - len(self._after)

    def _moved(self, tensor):
        dtype = self.transformer.dtype if tensor.is_floating_point() else None
        return tensor.to(device=self.device, dtype=dtype)

    def _positions(self, tensors) -> int:
        """Return the number of positions that the model has."""
        has = [t.shape[1] for name, t in tensors.items() if name.startswith("constant.rotary.")]
        has += [len(tensors["constant.buckets"])] if "constant.buckets" in tensors else []
        if "position_embeddings" in tensors:
            has.append(len(tensors["position_embeddings"]) - self.architecture.first_position)
        return min(has)

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
        model, everything = self.transformer, slice(None)
        requested = neurons if isinstance(neurons, dict) else dict.fromkeys(neurons, everything)
        deepest, found = max(tap.layer for tap in requested), {}
        states = self._begin(inputs)
        bias = self._bias(len(states))
        for layer in range(1, deepest + 1):
            rows = read if layer == deepest else everything
            states = self._attention(layer, states, rows, bias)
            states, inner = model._feed_forward(layer, states)
            place = everything if layer == deepest else read
            for tap, whole in ((Tap("intermediate", layer), inner), (Tap("output", layer), states)):
                if tap not in requested:
                    continue
                if tap == ("output", model.layers) and model._final_norm:
                    whole = model._norm(whole, model._final_norm)
                kept = model._neurons(tap, whole[place].flatten(0, 1), requested[tap])
                found[tap] = kept.unflatten(0, (-1, len(inputs))).transpose(0, 1)
        return found

    def _begin(self, inputs) -> torch.Tensor:
        """Return the first block's input, token-major: (tokens, n, H)."""
        model, (n, t, _) = self.transformer, inputs.shape
        if not 0 < t <= self.limit:
            raise ValueError(f"a text of {t} tokens cannot be read (allowed: 1 to {self.limit})")
        before, after = (
            model.word_embeddings[ids][:, None].expand(-1, n, -1)
            for ids in (self._before, self._after)
        )
        words = torch.cat([before, inputs.transpose(0, 1), after])
        added = words.new_zeros(len(words), words.shape[-1])
        if "position_embeddings" in self._tensors:
            first = self.architecture.first_position
            added = added + self._tensors["position_embeddings"][first : first + len(words)]
        if "type_embedding" in self._tensors:
            added = added + self._tensors["type_embedding"]
        return model._embed(words, added[:, None])

    def _bias(self, count: int) -> torch.Tensor | None:
        """Return the biases of scores, (heads or 1, queries, keys)."""
        bias = None
        if "relative_bias" in self._tensors:
            buckets = self._tensors["constant.buckets"][:count, :count]
            bias = self._tensors["relative_bias"][buckets].permute(2, 0, 1)
        if self.architecture.causal:
            later = torch.ones(count, count, device=self.device).triu(1).bool()
            zeros = torch.zeros(1, count, count, dtype=self.transformer.dtype, device=self.device)
            bias = torch.where(later, -math.inf, zeros if bias is None else bias)
        return bias

    def _attention(self, layer, states, rows, bias) -> torch.Tensor:
        """Return attention's residual sum at some rows of states (tokens, n, H)."""
        model, block = self.transformer, self.transformer._blocks[layer - 1]
        tokens = list(range(len(states)))
        q, k, v = model._queries_keys_values(layer, states, tokens, rows)
        q, k, v = (
            part.unflatten(2, (-1, model._head)).permute(1, 2, 0, 3) for part in (q, k, v)
        )  # (n, heads, tokens, head size)
        shared = model.heads // model._kv_heads
        k, v = (part.repeat_interleave(shared, dim=1) if shared > 1 else part for part in (k, v))
        scores = q @ k.transpose(2, 3)
        if self.architecture.scaled:
            scores = scores / math.sqrt(model._head)
        if bias is not None:
            scores = scores + bias[:, rows]
        attended = (torch.softmax(scores, dim=-1) @ v).permute(2, 0, 1, 3).flatten(2)
        states = states[rows] + F.linear(attended, *block.attention_output)
        return model._norm(states, block.attention_norm) if model._post else states
