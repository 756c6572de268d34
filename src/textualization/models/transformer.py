"""Forward pass of a model with frozen weights on `[CLS] x [SEP]`, read at one position.

x is any vector of the embedding space: a word's embedding, or an input that ascent has found
(paper, sec. 3). There may be several x, and other tokens before, between and after them. "Fixed"
tokens, whose states do not depend on x, are computed once; "varying" tokens are computed for each
input. States are token-major, (tokens, n, H), so that the states of one token are contiguous.
"""

import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from safetensors import safe_open

from textualization.models.architecture import Architecture
from textualization.models.blocks import arrays, bases, block_of, pair_of, some
from textualization.models.ceilings import (
    gated_ceiling,
    intermediate_ceiling,
    intermediate_floor,
    linear_ceiling,
)

SITES = ("output", "intermediate")
#: Positions that can be read: the special token before x, x itself, the special token after x.
POSITIONS = ("cls", "word", "sep")

_ACTIVATIONS = {
    "gelu": F.gelu,
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_pytorch_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
    "silu": F.silu,
}


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


class FrozenTransformer:
    """Weights and constants of one model, on one device, in one dtype.

    Args:
        tensors: weights, as returned by `textualization.models.conversion.convert`. The rows of a
            tensor `basis.<site>.<layer>` (see `textualization.models.bases`) are
            read in place of that layer's neurons.
        facts: the architecture as text, also from `convert`.
        read: the position that is read, one of POSITIONS.
        dtype: dtype of the computation.
        device: device of the computation.
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
        tensors = {
            name: t.to(device=device, dtype=dtype if t.is_floating_point() else None)
            for name, t in tensors.items()
        }
        self.architecture = architecture = Architecture.read(facts)
        self.layers, self.heads = architecture.layers, architecture.heads
        self.hidden, self.intermediate = architecture.hidden, architecture.intermediate
        if architecture.activation not in _ACTIVATIONS:
            raise ValueError(
                f"activation {architecture.activation!r} is not known "
                f"(known: {', '.join(_ACTIVATIONS)})"
            )
        self.activation = _ACTIVATIONS[architecture.activation]
        self.dtype, self.device = dtype, device
        self._post = architecture.order == "post"
        self._kv_heads = architecture.kv_heads or self.heads
        self._head = architecture.head_size or self.hidden // self.heads
        self._parts = [self.heads * self._head, 2 * self._kv_heads * self._head]
        self._norm_of = F.rms_norm if architecture.normalisation == "rms" else F.layer_norm
        self.word_embeddings = tensors["word_embeddings"]
        self._bases = bases(tensors)
        self._embedding_norm = pair_of(tensors, "embedding_norm", "gain")
        self._final_norm = pair_of(tensors, "final_norm", "gain")
        self._projection = pair_of(tensors, "projection")
        numbers = [architecture.block(layer) for layer in range(1, self.layers + 1)]
        blocks = {number: block_of(tensors, number) for number in set(numbers)}
        self._blocks = [blocks[number] for number in numbers]
        self.sign, self.length = sign, list(context).count(None)
        self._set_tokens(read, context, place)
        self._added = self._added_embeddings(tensors)
        self._rotary = [
            tensors.get(f"constant.rotary.{layer}") for layer in range(1, self.layers + 1)
        ]
        self._score_bias = self._score_biases(tensors)
        self._fixed = self._fixed_tokens()

    def _set_tokens(self, read: str, context, place: int) -> None:
        """Set the tokens of an input, the places of x among them, and the one that is read."""
        architecture, causal = self.architecture, self.architecture.causal
        if not self.length:
            raise ValueError("context: it has no free position")
        if not 1 <= place <= self.length:
            raise ValueError(f"place: {place} is not one of the {self.length} free positions")
        frame = [("cls", architecture.before)] if architecture.before >= 0 else []
        frame += [("word" if entry is None else "", entry) for entry in context]
        frame += [("sep", architecture.after)] if architecture.after >= 0 else []
        names, self._entries = ([part[i] for part in frame] for i in (0, 1))
        if read not in names or not read:
            known = ", ".join(dict.fromkeys(filter(None, names)))
            raise ValueError(f"read: {read!r} is not a position of this model (has: {known})")
        x = [token for token, entry in enumerate(self._entries) if entry is None]
        self._read = x[place - 1] if read == "word" else names.index(read)
        if causal and self._read < x[0]:
            raise ValueError(
                f"read: {read!r} comes before x and does not depend on it in a causal model"
            )
        if causal:  # later tokens do not affect the one that is read
            self._entries = self._entries[: self._read + 1]
        self._x = [token for token in x if token < self.tokens]
        # On the device once, since a CUDA graph cannot copy a list to it.
        self._apart = torch.tensor(self._x, device=self.device)

    def _added_embeddings(self, tensors) -> torch.Tensor:
        """Return the position and type embeddings of all tokens, (tokens, E)."""
        count, first = self.tokens, self.architecture.first_position
        added = self.word_embeddings.new_zeros(count, self.word_embeddings.shape[1])
        has = (
            [len(tensors["position_embeddings"]) - first]
            if "position_embeddings" in tensors
            else []
        )
        has += [t.shape[1] for name, t in tensors.items() if name.startswith("constant.rotary.")]
        has += [len(tensors["constant.buckets"])] if "constant.buckets" in tensors else []
        if has and min(has) < count:
            raise ValueError(
                f"context: {self.length} free and {count - len(self._x)} fixed positions make {count} "
                f"tokens (this model has positions for {min(has)})"
            )
        if "position_embeddings" in tensors:
            added = tensors["position_embeddings"][first : first + count]
        if "type_embedding" in tensors:
            added = added + tensors["type_embedding"]
        return added

    def _score_biases(self, tensors) -> torch.Tensor | None:
        """Return the biases of scores, (queries, keys, 1, kv heads, query heads each, 1)."""
        count, bias = self.tokens, None
        if "relative_bias" in tensors:
            bias = tensors["relative_bias"][tensors["constant.buckets"][:count, :count]]
        if self.architecture.causal:
            later = torch.ones(count, count, device=self.device).triu(1).bool()[..., None]
            zeros = torch.zeros(1, dtype=self.dtype, device=self.device)
            bias = torch.where(later, -math.inf, zeros if bias is None else bias)
            bias = bias.expand(count, count, self.heads)
        if bias is None:
            return None
        return bias.reshape(count, count, 1, self._kv_heads, self.heads // self._kv_heads, 1)

    def _fixed_tokens(self) -> list[dict[int, _Fixed]]:
        """Compute the fixed tokens of every layer: in the first layer, all but x."""
        tokens = [t for t in range(self.tokens) if t not in self._x]
        entries = torch.tensor([self._entries[t] for t in tokens], device=self.device).long()
        states = self._embed(self.word_embeddings[entries][:, None], self._added[tokens][:, None])
        found = []
        for layer in range(1, self.layers + 1):
            if not tokens:
                found.append({})
                continue
            q, k, v = self._queries_keys_values(layer, states, tokens, slice(None))
            found.append(
                {
                    t: _Fixed(*(part[i, 0] for part in (states, q, k, v)))
                    for i, t in enumerate(tokens)
                }
            )
            # Beyond the first layer, only the tokens before x in a causal model stay fixed.
            tokens = [t for t in tokens if self.architecture.causal and t < self._x[0]]
            if tokens:
                states = states[: len(tokens)]
                states = self._attention(layer, states, tokens, tokens, {})
                states, _ = self._feed_forward(layer, states)
        return found

    @classmethod
    def load(cls, path: str | Path, **options) -> "FrozenTransformer":
        """Load a file of tensors and facts; `options` are further arguments of the class."""
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.offset_keys()}
            return cls(tensors, file.metadata(), **options)

    @cached_property
    def gram(self) -> torch.Tensor:
        """EᵀE, (E, E), summed in float64."""
        e = self.word_embeddings.double()
        return (e.T @ e).to(self.dtype)

    @property
    def embedding(self) -> int:
        """The embedding size, which is the length of x; in most models the hidden size."""
        return self.word_embeddings.shape[1]

    @property
    def free(self) -> int:
        """The total length of an objective's free inputs."""
        return self.length * self.embedding

    @property
    def tokens(self) -> int:
        """The number of tokens computed."""
        return len(self._entries)

    @property
    def layout(self) -> tuple:
        """The ids of the tokens computed, None for each x; and the place of the one that is read."""
        return tuple(self._entries), self._read

    def width(self, site: str) -> int:
        """Return the number of neurons per layer at a site."""
        return self.architecture.width(site)

    def units(self, tap: tuple[str, int]) -> int:
        """Count a tap's neurons, or the rows of its basis."""
        basis = self._bases.get(tap)
        return self.width(tap[0]) if basis is None else len(basis)

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

        def keep(site, layer, states):
            tap = Tap(site, layer)
            if tap in requested:
                if site == "output" and layer == self.layers and self._final_norm:
                    states = self._norm(states, self._final_norm)
                found[tap] = self._neurons(tap, states, requested[tap])

        varying = self._x
        words = inputs.unflatten(1, (self.length, self.embedding)).transpose(0, 1)[: len(varying)]
        states = self._embed(words, self._added[self._span(varying)][:, None])
        for layer in range(1, deepest + 1):
            if reaching is not None:
                states = states[:, : reaching[layer]]
            fixed = self._fixed[layer - 1]
            after = self._fixed[layer] if layer < self.layers else {}
            tokens = [t for t in range(self.tokens) if t not in after]
            if layer == deepest:
                tokens = [self._read]
            states = self._attention(layer, states, varying, tokens, fixed)
            varying, place = tokens, tokens.index(self._read)
            tap, whole = Tap("intermediate", layer), Tap("output", layer) in requested
            if layer == deepest and not whole and tap not in self._bases:
                found[tap] = self._inner_activations(layer, states[place], requested[tap])
                break
            states, inner = self._feed_forward(layer, states)
            keep("intermediate", layer, inner[place])
            keep("output", layer, states[place])
        return found if self.sign > 0 else {tap: -states for tap, states in found.items()}

    def _embed(self, words, added):
        """Return the first block's input, from words (..., E) and the embeddings added to them."""
        states = self._norm(words + added, self._embedding_norm)
        return states if self._projection is None else F.linear(states, *self._projection)

    def _neurons(self, tap, states, indices):
        """Return a tap's neurons, or directions of its basis, from states (n, width)."""
        basis = self._bases.get(tap)
        return states[:, indices] if basis is None else F.linear(states, basis[indices])

    def _attention(self, layer, states, varying, tokens, fixed):
        """Return attention's residual sum at `tokens`, given varying states and fixed tokens."""
        block, n = self._blocks[layer - 1], states.shape[1]
        querying = [varying.index(token) for token in tokens if token in varying]
        # Either all varying tokens query, or a single one.
        rows = slice(querying[0], querying[-1] + 1) if querying else slice(0, 0)
        q, k, v = self._queries_keys_values(layer, states, varying, rows)
        residual, present = states[rows], varying
        if fixed:
            present = sorted({*varying, *fixed})
            k = self._stack(k, varying, present, fixed, "key", n)
            v = self._stack(v, varying, present, fixed, "value", n)
        if len(querying) < len(tokens):
            querying = [varying[place] for place in querying]
            q = self._stack(q, querying, tokens, fixed, "query", n)
            residual = self._stack(residual, querying, tokens, fixed, "state", n)
        bias = self._score_bias
        if bias is not None:
            bias = bias[self._span(tokens), self._span(present)]
        states = residual + F.linear(self._attend(q, k, v, bias), *block.attention_output)
        return self._norm(states, block.attention_norm) if self._post else states

    def _queries_keys_values(self, layer, states, tokens, rows):
        """Return queries of some rows, keys and values of all: (t, n, heads · head size)."""
        block = self._blocks[layer - 1]
        if not self._post:
            states = self._norm(states, block.attention_norm)
        if len(states[rows]) == len(states):
            q, kv = F.linear(states, *block.qkv).split(self._parts, dim=-1)
        else:
            split = (p.split(self._parts) if p is not None else (None, None) for p in block.qkv)
            (qw, kvw), (qb, kvb) = split
            q, kv = F.linear(states[rows], qw, qb), F.linear(states, kvw, kvb)
        k, v = kv.chunk(2, dim=-1)
        rotary = self._rotary[layer - 1]
        if rotary is not None:
            q = self._rotate(q, rotary[:, self._span(tokens[rows])])
            k = self._rotate(k, rotary[:, self._span(tokens)])
        return q, k, v

    def _span(self, tokens: list[int]) -> slice | torch.Tensor:
        """Return tokens as an index: adjacent ones, which all but the x are, as a slice."""
        if not tokens:
            return slice(0, 0)
        if tokens[-1] - tokens[0] + 1 == len(tokens):
            return slice(tokens[0], tokens[-1] + 1)
        return self._apart if tokens == self._x else torch.tensor(tokens, device=self.device)

    def _rotate(self, x, rotary):
        """Apply rotary positions (2, t, head size) to x, (t, n, ·) (Su et al. 2021)."""
        cos, sin = rotary[:, :, None, None]
        x = x.view(*x.shape[:2], x.shape[-1] // self._head, self._head)
        low, high = x.chunk(2, dim=-1)
        return (x * cos + torch.cat([-high, low], dim=-1) * sin).flatten(2)

    @staticmethod
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

    def _inner_activations(self, layer, states, indices=slice(None)):
        """Return the activations of some or all neurons of the feed-forward layer."""
        block = self._blocks[layer - 1]
        if not self._post:
            states = self._norm(states, block.intermediate_norm)
        inner = F.linear(states, *some(block.intermediate, indices))
        if block.gate is None:
            return self.activation(inner)
        return self.activation(F.linear(states, *some(block.gate, indices))) * inner

    def _feed_forward(self, layer, states):
        """Return the feed-forward layer's residual sum, and the activations inside the layer."""
        block = self._blocks[layer - 1]
        inner = self._inner_activations(layer, states)
        states = states + F.linear(inner, *block.output)
        return (self._norm(states, block.output_norm) if self._post else states), inner

    def ceiling(self, tap: Tap, weights: torch.Tensor) -> torch.Tensor:
        """Compute upper bounds of Σ w·activation at a tap.

        At `output`, Cauchy-Schwarz on the normalised state bounds the sum. At `intermediate`, the
        bound is the weighted sum of the single neurons' upper and lower bounds.

        Args:
            tap: the tap.
            weights: w, one sum per row, (n, width).

        Returns:
            (n,), float64; NaN where no norm writes the output.
        """
        block = self._blocks[tap.layer - 1]
        centred = self.architecture.normalisation == "layer"
        w = self.sign * weights.double().cpu()
        if tap in self._bases:
            w = w @ self._bases[tap].double().cpu()
        if tap.site == "output":
            norm = block.output_norm if self._post else self._final_norm
            if norm is None or (not self._post and tap.layer < self.layers):
                return torch.full((len(w),), math.nan, dtype=torch.float64)
            return torch.from_numpy(linear_ceiling(w, *arrays(norm), centred))
        used = (w != 0).any(dim=0)
        lower, upper = self._bounds(block, used, centred)
        w = w[:, used]
        return w.clamp(min=0) @ torch.from_numpy(upper) + w.clamp(max=0) @ torch.from_numpy(lower)

    def _bounds(self, block, used, centred):
        """Return lower and upper bounds of single neurons of a feed-forward layer, (k,) each."""
        gain, bias = arrays(block.attention_norm if self._post else block.intermediate_norm)

        def activation(a):
            return self.activation(torch.from_numpy(a)).numpy()

        weight, offset = arrays(some(block.intermediate, used))
        if block.gate is not None:
            gate = arrays(some(block.gate, used))
            rest = (gain, bias, activation, centred)
            upper = gated_ceiling(*gate, weight, offset, *rest)
            return -gated_ceiling(*gate, -weight, -offset, *rest), upper
        rest = (weight, offset, gain, bias, activation, centred)
        return intermediate_floor(*rest), intermediate_ceiling(*rest)

    def _norm(self, x, parameters):
        if parameters is None:
            return x
        gain, bias = parameters
        if self._norm_of is F.rms_norm:
            return F.rms_norm(x, (x.shape[-1],), gain, self.architecture.epsilon)
        return F.layer_norm(x, (x.shape[-1],), gain, bias, self.architecture.epsilon)

    def _attend(self, q, k, v, bias):
        """Return attention of queries (t, n, ·) over keys and values (tokens, n, ·): (t, n, ·)."""
        tokens, n, _ = q.shape
        q = q.view(tokens, 1, n, self._kv_heads, -1, self._head)
        k, v = (part.view(1, len(part), n, self._kv_heads, 1, self._head) for part in (k, v))
        # With as few keys as three, plain sums are faster than a batched product.
        scores = (q * k).sum(-1, keepdim=True)
        if self.architecture.scaled:
            scores = scores / math.sqrt(self._head)
        if bias is not None:
            scores = scores + bias
        return (torch.softmax(scores, dim=1) * v).sum(1).reshape(tokens, n, -1)
