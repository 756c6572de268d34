"""Forward pass of a model with frozen weights on `[CLS] x [SEP]`, read at one position.

x is any vector of the embedding space: a word's embedding, or an input that ascent has found
(paper, sec. 3). There may be several x, and other tokens before, between and after them. "Fixed"
tokens, whose states do not depend on x, are computed once; "varying" tokens are computed for each
input. States are token-major, (tokens, n, H), so that the states of one token are contiguous.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import safe_open

from textualization.models.ceilings import tap_ceiling
from textualization.models.forward.layout import Layout
from textualization.models.forward.network import Network

SITES = ("output", "intermediate")
#: Positions that can be read: the special token before x, x itself, the special token after x.
POSITIONS = ("cls", "word", "sep")


class Tap(NamedTuple):
    """Place where neurons are read: a `site` (`output` or `intermediate`) of a `layer` (from 1)."""

    site: str
    layer: int


class _Fixed(NamedTuple):
    """Input state, query, key and value of a fixed token in one layer."""

    state: torch.Tensor
    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor


class FrozenTransformer(Network):
    """A network that is read at one position of an input, and computed only as far as needed.

    Args:
        tensors, facts, dtype, device: see `Network`.
        read: the position that is read, one of POSITIONS.
        context: what stands between the special tokens: the id of a fixed token, or None for an x.
        place: the x that is read as `word`, from 1.
        sign: 1, or -1 to read all activations negated: their highest value is then the neuron's lowest.

    Raises:
        ValueError: the non-linearity is unknown, the context has no x, the position does not exist or
            does not depend on x, or the tokens exceed the model's positions.
    """

    def __init__(
        self,
        tensors,
        facts,
        read="word",
        dtype=torch.float32,
        device="cpu",
        context=(None,),
        place=1,
        sign=1,
    ):
        super().__init__(tensors, facts, dtype, device)
        self.sign = sign
        self.layout = Layout.of(self.architecture, context, read, place, device)
        if self.tokens > self.positions:
            raise ValueError(
                f"context: {self.length} free and {len(self.layout.fixed)} fixed positions make "
                f"{self.tokens} tokens (this model has positions for {self.positions})"
            )
        self._added = self.added(self.tokens)
        bias = self.score_bias(self.tokens)
        self._score_bias = None if bias is None else self.heads.for_sums(bias)
        self._fixed = self._fixed_tokens()

    @classmethod
    def load(cls, path: str | Path, **options) -> "FrozenTransformer":
        """Load a file of tensors and facts; `options` are further arguments of the class."""
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.offset_keys()}
            return cls(tensors, file.metadata(), **options)

    @property
    def length(self) -> int:
        """The number of x."""
        return self.layout.length

    @property
    def free(self) -> int:
        """The total length of an objective's free inputs."""
        return self.length * self.embedding

    @property
    def tokens(self) -> int:
        """The number of tokens computed."""
        return len(self.layout.entries)

    def activations(
        self, inputs: torch.Tensor, neurons, reaching: Mapping[int, int] | None = None
    ) -> dict[Tap, torch.Tensor]:
        """Compute the activations of neurons at the read position.

        Only what these neurons depend on is computed.

        Args:
            inputs: one x per row, (n, E); with several free positions (n, length · E), in order.
            neurons: the taps, or a dict from taps to indices of neurons.
            reaching: by layer, the number of inputs, from the first, that go as far; all if None. It
                falls from layer to layer.

        Returns:
            Activations by tap, (inputs that go as far, number of indices); all neurons if only taps
            are given.
        """
        everything = slice(None)
        requested = neurons if isinstance(neurons, dict) else dict.fromkeys(neurons, everything)
        deepest = max(tap.layer for tap in requested)
        found = {}

        def keep(tap, states):
            if tap in requested:
                found[tap] = self.neurons(tap, states, requested[tap])

        varying = self.layout.x
        words = inputs.unflatten(1, (self.length, self.embedding)).transpose(0, 1)[: len(varying)]
        states = self.embed(words, self._added[self.layout.span(varying)][:, None])
        for layer in range(1, deepest + 1):
            if reaching is not None:
                states = states[:, : reaching[layer]]
            block, fixed = self.blocks[layer - 1], self._fixed[layer - 1]
            after = self._fixed[layer] if layer < self.layers else {}
            tokens = [t for t in range(self.tokens) if t not in after]
            if layer == deepest:
                tokens = [self.layout.read]
            states = self._attention(layer, states, varying, tokens, fixed)
            varying, place = tokens, tokens.index(self.layout.read)
            inner_tap, output_tap = Tap("intermediate", layer), Tap("output", layer)
            if layer == deepest and output_tap not in requested and inner_tap not in self.bases:
                found[inner_tap] = block.inner_activations(states[place], requested[inner_tap])
                break
            states, inner = block.feed_forward(states)
            keep(inner_tap, inner[place])
            keep(output_tap, states[place])
        return found if self.sign > 0 else {tap: -states for tap, states in found.items()}

    def ceiling(self, tap: Tap, weights: torch.Tensor) -> torch.Tensor:
        """Compute upper bounds of Σ w·activation at a tap, see `tap_ceiling`: (n,), float64.

        weights: w, one sum per row, (n, width).
        """
        return tap_ceiling(self, tap, self.sign * weights)

    def _fixed_tokens(self) -> list[dict[int, _Fixed]]:
        """Compute the fixed tokens of every layer: in the first layer, all but x."""
        layout, tokens = self.layout, self.layout.fixed
        entries = torch.tensor([layout.entries[t] for t in tokens], device=self.device).long()
        states = self.embed(self.word_embeddings[entries][:, None], self._added[tokens][:, None])
        found = []
        for layer in range(1, self.layers + 1):
            if not tokens:
                found.append({})
                continue
            parts = self.queries_keys_values(layer, states, slice(None), layout.span(tokens))
            of_tokens = zip(tokens, *(part[:, 0] for part in (states, *parts)), strict=True)
            found.append({token: _Fixed(*parts) for token, *parts in of_tokens})
            # Beyond the first layer, only the tokens before x in a causal model stay fixed.
            tokens = [t for t in tokens if self.architecture.causal and t < layout.x[0]]
            if tokens:
                states = self._attention(layer, states[: len(tokens)], tokens, tokens, {})
                states, _ = self.blocks[layer - 1].feed_forward(states)
        return found

    def _attention(self, layer, states, varying, tokens, fixed):
        """Return attention's residual sum at `tokens`, given varying states and fixed tokens."""
        block, n, span = self.blocks[layer - 1], states.shape[1], self.layout.span
        querying = [varying.index(token) for token in tokens if token in varying]
        # Either all varying tokens query, or a single one.
        rows = slice(querying[0], querying[-1] + 1) if querying else slice(0, 0)
        q, k, v = self.queries_keys_values(layer, states, rows, span(varying))
        residual, present = states[rows], varying
        if fixed:
            present = sorted({*varying, *fixed})
            k = _stack(k, varying, present, fixed, "key", n)
            v = _stack(v, varying, present, fixed, "value", n)
        if len(querying) < len(tokens):
            querying = [varying[place] for place in querying]
            q = _stack(q, querying, tokens, fixed, "query", n)
            residual = _stack(residual, querying, tokens, fixed, "state", n)
        bias = self._score_bias
        if bias is not None:
            bias = bias[span(tokens), span(present)]
        return block.after_attention(residual, self.heads.attend_by_sums(q, k, v, bias))


def _stack(part, varying, tokens, fixed, name, n):
    """Return one part (a key, say) of all `tokens`, varying and fixed: (tokens, n, ·)."""
    return torch.stack(
        [
            part[varying.index(token)]
            if token in varying
            else getattr(fixed[token], name).expand(n, -1)
            for token in tokens
        ]
    )
