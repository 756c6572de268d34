"""A frozen transformer, read at one position of `[CLS] x [SEP]` and computed no further than needed.

States are token-major, (tokens, n, H), so that one token's states are a contiguous slice. x is any
vector of the embedding space: a word's embedding, or an input that ascent has found (paper, sec. 3);
there may be several in a row. What stands around x, and how a block computes, the model's
`Architecture` says.
"""

import math
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open

from textualization.architecture import Architecture
from textualization.blocks import arrays, bases, block_of, for_products, pair_of, some
from textualization.ceilings import gated_ceiling, intermediate_ceiling, linear_ceiling

SITES = ("output", "intermediate")
#: What may be read: the free input, or the special token before or after it.
POSITIONS = ("cls", "word", "sep")

_ACTIVATIONS = {
    "gelu": F.gelu,
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_pytorch_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
    "silu": F.silu,
}


class Tap(NamedTuple):
    """Where neurons are read: a `site` (`output` or `intermediate`) of a `layer` (from 1)."""

    site: str
    layer: int


class _Fixed(NamedTuple):
    """What a token that x does not move sends into a layer: its state, query, key and value."""

    state: torch.Tensor
    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor


class FrozenTransformer:
    """Weights and constants of one model, on one device, in one dtype.

    tensors, facts: as written by `textualization.freezing.freeze`; with `basis.<site>.<layer>` among
    the tensors (see `textualization.nulls.rotated_basis`), its rows are read in place of the neurons.
    read: the position whose activations count, one of POSITIONS. length: how many x stand in a row,
    each free by itself; place: which of them is read as `word`, from 1.
    products: `bfloat16`, or `tf32` on a GPU, for matrix products of less precision than all the rest:
    residuals, LayerNorm and attention over three tokens stay in `dtype`.
    Raises ValueError for an unknown non-linearity, for a position that the model has not or that x
    does not move, and for more tokens than it has positions.
    """

    def __init__(
        self,
        tensors,
        facts,
        read="word",
        dtype=torch.float32,
        device="cpu",
        products=None,
        length=1,
        place=1,
    ):
        tensors = {
            k: t.to(device=device, dtype=dtype if t.is_floating_point() else None)
            for k, t in tensors.items()
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
        self._products = torch.bfloat16 if products == "bfloat16" else dtype
        self._tf32 = products == "tf32"
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
        products = {n: for_products(block, self._products) for n, block in blocks.items()}
        self._blocks = [blocks[number] for number in numbers]
        self._in_products = [products[number] for number in numbers]
        self.length = length
        self._place(read, place)
        self._added = self._positions(tensors)
        self._rotary = [
            tensors.get(f"constant.rotary.{layer}") for layer in range(1, self.layers + 1)
        ]
        self._score_bias = self._biases(tensors)
        self._fixed = self._constants()

    def _place(self, read: str, place: int) -> None:
        """Which tokens there are, where x is among them, and which of them is read."""
        architecture, causal = self.architecture, self.architecture.causal
        if not 1 <= place <= self.length:
            raise ValueError(f"place: {place} is none of the {self.length} free positions")
        frame = [("cls", architecture.before), *[("word", None)] * self.length]
        frame.append(("sep", architecture.after))
        frame = [(name, entry) for name, entry in frame if entry is None or entry >= 0]
        names, self._entries = ([part[i] for part in frame] for i in (0, 1))
        if read not in names:
            known = ", ".join(dict.fromkeys(names))
            raise ValueError(f"read: {read!r} is no position of this model (has: {known})")
        self._read = names.index(read) + (place - 1 if read == "word" else 0)
        if causal and self._read < names.index("word"):
            raise ValueError(
                f"read: {read!r} stands before x, which a causal model does not see there"
            )
        if causal:  # nor is anything moved by what comes later
            self._entries = self._entries[: self._read + 1]
        self._x = [token for token, entry in enumerate(self._entries) if entry is None]

    def _positions(self, tensors) -> torch.Tensor:
        """What the model adds to the embedding of every token, (tokens, E)."""
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
                f"length: {self.length} free positions make {count} tokens; only {min(has)} "
                "positions of this model are known"
            )
        if "position_embeddings" in tensors:
            added = tensors["position_embeddings"][first : first + count]
        if "type_embedding" in tensors:
            added = added + tensors["type_embedding"]
        return added

    def _biases(self, tensors) -> torch.Tensor | None:
        """What is added to scores: (queries, keys, 1, kv heads, query heads of each, 1)."""
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

    def _constants(self) -> list[dict[int, _Fixed]]:
        """Per layer what tokens send into it that x does not move: in the first all but x."""
        tokens = [t for t in range(self.tokens) if t not in self._x]
        entries = torch.tensor([self._entries[t] for t in tokens], device=self.device).long()
        states = self._embed(self.word_embeddings[entries][:, None], self._added[tokens][:, None])
        found = []
        for layer in range(1, self.layers + 1):
            if not tokens:
                found.append({})
                continue
            q, k, v = self._ask(layer, states, tokens, slice(None))
            found.append(
                {
                    t: _Fixed(*(part[i, 0] for part in (states, q, k, v)))
                    for i, t in enumerate(tokens)
                }
            )
            # What stands before x in a causal model, x never moves.
            tokens = [t for t in tokens if self.architecture.causal and t < self._x[0]]
            if tokens:
                states = states[: len(tokens)]
                states = self._mix(layer, states, tokens, tokens, {})
                states, _ = self._feed(layer, states)
        return found

    @classmethod
    def load(cls, path: str | Path, **options) -> "FrozenTransformer":
        """Read the file of tensors and facts that `freeze` filled."""
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
        """The length of a word's embedding, and so of x: of most models the hidden size."""
        return self.word_embeddings.shape[1]

    @property
    def free(self) -> int:
        """The length of all free inputs of an objective together."""
        return self.length * self.embedding

    @property
    def tokens(self) -> int:
        """How many tokens are computed."""
        return len(self._entries)

    def width(self, site: str) -> int:
        """Neurons per layer at a site."""
        return self.architecture.width(site)

    def activations(self, inputs: torch.Tensor, neurons) -> dict[Tap, torch.Tensor]:
        """The activations of some neurons, at the read position, for `[CLS] x [SEP]`.

        inputs: (n, E), one x per row; of several free positions (n, length · E), in order. neurons: the
        Taps wanted; or, by Tap, the indices wanted there.
        Returns (n, number of indices) per tap, all of a site if no indices are given. Blocks above the
        deepest tap are not computed; in the deepest block nothing but the read position, and of its
        feed-forward layer, if that is what is read, no more than the neurons wanted.
        """
        everything = slice(None)
        wanted = neurons if isinstance(neurons, dict) else dict.fromkeys(neurons, everything)
        deepest = max(tap.layer for tap in wanted)
        found = {}

        def keep(site, layer, states):
            tap = Tap(site, layer)
            if tap in wanted:
                if site == "output" and layer == self.layers and self._final_norm:
                    states = self._norm(states, self._final_norm)
                found[tap] = self._neurons(tap, states, wanted[tap])

        moving = self._x
        words = inputs.unflatten(1, (self.length, self.embedding)).transpose(0, 1)[: len(moving)]
        states = self._embed(words, self._added[_span(moving)][:, None])
        for layer in range(1, deepest + 1):
            fixed = self._fixed[layer - 1]
            after = self._fixed[layer] if layer < self.layers else {}
            tokens = [t for t in range(self.tokens) if t not in after]
            if layer == deepest:
                tokens = [self._read]
            states = self._mix(layer, states, moving, tokens, fixed)
            moving, place = tokens, tokens.index(self._read)
            tap, whole = Tap("intermediate", layer), Tap("output", layer) in wanted
            if layer == deepest and not whole and tap not in self._bases:
                found[tap] = self._inner(layer, states[place], wanted[tap])
                break
            states, inner = self._feed(layer, states)
            keep("intermediate", layer, inner[place])
            keep("output", layer, states[place])
        return found

    def _embed(self, words, added):
        """What the first block reads, of words (..., E) and what is added to them."""
        states = self._norm(words + added, self._embedding_norm)
        return states if self._projection is None else F.linear(states, *self._projection)

    def _neurons(self, tap, states, wanted):
        """Some of a tap's neurons, of its states (n, width); of another basis, its directions."""
        basis = self._bases.get(tap)
        return states[:, wanted] if basis is None else F.linear(states, basis[wanted])

    def _mix(self, layer, states, moving, tokens, fixed):
        """Attention, its residual sum, and the LayerNorm of either.

        states: (moving, n, H), of the tokens `moving`; fixed: what the others send. Returns
        (tokens, n, H), of the tokens asked for.
        """
        block, n = self._in_products[layer - 1], states.shape[1]
        asking = [moving.index(token) for token in tokens if token in moving]
        # Tokens stand side by side, and either all of them ask or one.
        rows = slice(asking[0], asking[-1] + 1) if asking else slice(0, 0)
        q, k, v = self._ask(layer, states, moving, rows)
        residual, present = states[rows], moving
        if fixed:
            present = sorted({*moving, *fixed})
            k = self._stack(k, moving, present, fixed, "key", n)
            v = self._stack(v, moving, present, fixed, "value", n)
        if len(asking) < len(tokens):
            asking = [moving[place] for place in asking]
            q = self._stack(q, asking, tokens, fixed, "query", n)
            residual = self._stack(residual, asking, tokens, fixed, "state", n)
        bias = self._score_bias
        if bias is not None:
            bias = bias[_span(tokens), _span(present)]
        mixed = self._linear(self._attend(q, k, v, bias), block.attention_output)
        states = residual + mixed
        return self._norm(states, block.attention_norm) if self._post else states

    def _ask(self, layer, states, tokens, rows):
        """Queries of some rows of states, keys and values of all: (t, n, heads · head size) each."""
        block = self._in_products[layer - 1]
        if not self._post:
            states = self._norm(states, block.attention_norm)
        if len(states[rows]) == len(states):
            q, kv = self._linear(states, block.qkv).split(self._parts, dim=-1)
        else:
            split = (p.split(self._parts) if p is not None else (None, None) for p in block.qkv)
            (qw, kvw), (qb, kvb) = split
            q, kv = self._linear(states[rows], (qw, qb)), self._linear(states, (kvw, kvb))
        k, v = kv.chunk(2, dim=-1)
        turn = self._rotary[layer - 1]
        if turn is not None:
            q = self._turned(q, turn[:, _span(tokens[rows])])
            k = self._turned(k, turn[:, _span(tokens)])
        return q, k, v

    def _turned(self, x, turn):
        """Rotary positions (Su et al. 2021). x: (t, n, heads · head size); turn: (2, t, head size)."""
        cos, sin = turn[:, :, None, None]
        x = x.view(*x.shape[:2], x.shape[-1] // self._head, self._head)
        low, high = x.chunk(2, dim=-1)
        return (x * cos + torch.cat([-high, low], dim=-1) * sin).flatten(2)

    @staticmethod
    def _stack(part, moving, tokens, fixed, name, n):
        """One part of all these tokens, (tokens, n, ·): of those that move, and of those that do not."""
        return torch.stack(
            [
                part[moving.index(token)]
                if token in moving
                else getattr(fixed[token], name).expand(n, -1)
                for token in tokens
            ]
        )

    def _inner(self, layer, states, wanted=slice(None)):
        """Activations in the feed-forward layer, of some or all of its neurons."""
        block = self._in_products[layer - 1]
        if not self._post:
            states = self._norm(states, block.intermediate_norm)
        inner = self._linear(states, some(block.intermediate, wanted))
        if block.gate is None:
            return self.activation(inner)
        return self.activation(self._linear(states, some(block.gate, wanted))) * inner

    def _feed(self, layer, states):
        """The feed-forward layer's sum with what it read, and the activations inside."""
        block = self._in_products[layer - 1]
        inner = self._inner(layer, states)
        states = states + self._linear(inner, block.output)
        return (self._norm(states, block.output_norm) if self._post else states), inner

    @contextmanager
    def multiplying(self):
        """Within it, matrix products, of gradients too, are of this model's precision."""
        before = torch.backends.cuda.matmul.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = self._tf32
        try:
            yield
        finally:
            torch.backends.cuda.matmul.allow_tf32 = before

    def ceiling(self, tap: Tap, weights: torch.Tensor) -> torch.Tensor:
        """Upper bound of Σ w·activation at a tap. weights: (n, width). Returns (n,); NaN where none is.

        At `output` the bound is that of the sum (Cauchy-Schwarz on the normalised state), and there is
        none where no LayerNorm writes what is read; at `intermediate` it is the weighted sum of the
        single neurons' bounds, from above and from below.
        """
        block = self._blocks[tap.layer - 1]
        centred = self.architecture.normalisation == "layer"
        w = weights.double().cpu()
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
        """The least and the most that single neurons of a feed-forward layer can be, (k,) each."""
        gain, bias = arrays(block.attention_norm if self._post else block.intermediate_norm)

        def activation(a):
            return self.activation(torch.from_numpy(a)).numpy()

        weight, offset = arrays(some(block.intermediate, used))
        if block.gate is not None:
            gate = arrays(some(block.gate, used))
            how = (gain, bias, activation, centred)
            upper = gated_ceiling(*gate, weight, offset, *how)
            return -gated_ceiling(*gate, -weight, -offset, *how), upper
        upper = intermediate_ceiling(weight, offset, gain, bias, activation, centred)
        # Nothing is lower than the non-linearity's lowest point; the grid misses it by 1e-11.
        lowest = activation(np.linspace(-3, 0, 300_001)).min()
        return np.full_like(upper, lowest), upper

    def _linear(self, x, parameters):
        return F.linear(x.to(self._products), *parameters).to(self.dtype)

    def _norm(self, x, parameters):
        if parameters is None:
            return x
        gain, bias = parameters
        if self._norm_of is F.rms_norm:
            return F.rms_norm(x, (x.shape[-1],), gain, self.architecture.epsilon)
        return F.layer_norm(x, (x.shape[-1],), gain, bias, self.architecture.epsilon)

    def _attend(self, q, k, v, bias):
        """Attention over three tokens. q: (t, n, ·); k, v: (3, n, ·). Returns (t, n, ·)."""
        tokens, n, _ = q.shape
        q = q.view(tokens, 1, n, self._kv_heads, -1, self._head)
        k, v = (part.view(1, len(part), n, self._kv_heads, 1, self._head) for part in (k, v))
        # Three keys are too few for a batched product: plain sums are faster.
        scores = (q * k).sum(-1, keepdim=True)
        if self.architecture.scaled:
            scores = scores / math.sqrt(self._head)
        if bias is not None:
            scores = scores + bias
        return (torch.softmax(scores, dim=1) * v).sum(1).reshape(tokens, n, -1)


def _span(tokens: list[int]) -> slice | list[int]:
    """Tokens as an index: where they stand side by side a slice, as a list is copied to the device."""
    side_by_side = tokens and tokens[-1] - tokens[0] + 1 == len(tokens)
    return slice(tokens[0], tokens[-1] + 1) if side_by_side else tokens
