"""A frozen BERT, read at one position of `[CLS] x [SEP]` and computed no further than needed.

States are token-major, (3, n, H), so that one token's states are a contiguous slice. x is any
vector of the embedding space: a word's embedding, or an input that ascent has found (paper, sec. 3).
"""

import math
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from safetensors import safe_open

from textualization.ceilings import intermediate_ceiling, linear_ceiling

SITES = ("output", "intermediate")
#: Position of the free input, and of what may be read, in `[CLS] x [SEP]`.
POSITIONS = {"cls": 0, "word": 1, "sep": 2}

_ACTIVATIONS = {
    "gelu": F.gelu,
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_pytorch_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
}


class Tap(NamedTuple):
    """Where neurons are read: a `site` (`output` or `intermediate`) of a `layer` (from 1)."""

    site: str
    layer: int


class _Block(NamedTuple):
    """One block's weights as (weight, bias) pairs; query, key and value stacked in this order."""

    qkv: tuple
    attention_output: tuple
    attention_norm: tuple
    intermediate: tuple
    output: tuple
    output_norm: tuple


class FrozenBert:
    """Weights and constants of one model, on one device, in one dtype.

    tensors, facts: as written by `textualization.freezing.freeze`; with `basis.<site>.<layer>` among
    the tensors (see `textualization.nulls.rotated_basis`), its rows are read in place of the neurons.
    frame: vocabulary ids of the fixed first and last token.
    read: the position whose activations count, a key of POSITIONS.
    products: `bfloat16`, or `tf32` on a GPU, for matrix products of less precision than all the rest:
    residuals, LayerNorm and attention over three tokens stay in `dtype`.
    """

    def __init__(
        self,
        tensors,
        facts,
        frame,
        read="word",
        dtype=torch.float32,
        device="cpu",
        products=None,
    ):
        tensors = {k: t.to(device=device, dtype=dtype) for k, t in tensors.items()}
        self.layers, self.heads = int(facts["layers"]), int(facts["heads"])
        self.hidden, self.intermediate = int(facts["hidden"]), int(facts["intermediate"])
        self.epsilon = float(facts["epsilon"])
        if facts["activation"] not in _ACTIVATIONS:
            raise ValueError(
                f"activation {facts['activation']!r} is not known (known: {', '.join(_ACTIVATIONS)})"
            )
        self.activation = _ACTIVATIONS[facts["activation"]]
        self.read = POSITIONS[read]
        self.dtype, self.device = dtype, device
        self._products = torch.bfloat16 if products == "bfloat16" else dtype
        self._tf32 = products == "tf32"
        self.word_embeddings = tensors["word_embeddings"]
        self._bases = _bases(tensors)
        self._added = tensors["position_embeddings"][:3] + tensors["type_embedding"]
        self._embedding_norm = (tensors["embedding_norm.gain"], tensors["embedding_norm.bias"])
        self._blocks = [_block(tensors, layer) for layer in range(1, self.layers + 1)]
        self._in_products = [_for_products(block, self._products) for block in self._blocks]
        # What the two fixed tokens send into block 1 never changes.
        self._first = self._norm(
            self.word_embeddings[frame[0]] + self._added[0], self._embedding_norm
        )
        self._last = self._norm(
            self.word_embeddings[frame[1]] + self._added[2], self._embedding_norm
        )
        fixed = torch.stack([self._first, self._last])
        self._first_qkv, self._last_qkv = self._linear(fixed, self._in_products[0].qkv)

    @classmethod
    def load(cls, path: str | Path, frame, **options) -> "FrozenBert":
        """Read the file of tensors and facts that `freeze` filled."""
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.offset_keys()}
            return cls(tensors, file.metadata(), frame, **options)

    @cached_property
    def gram(self) -> torch.Tensor:
        """EᵀE, (H, H), summed in float64."""
        e = self.word_embeddings.double()
        return (e.T @ e).to(self.dtype)

    def width(self, site: str) -> int:
        """Neurons per layer at a site."""
        return self.hidden if site == "output" else self.intermediate

    def activations(self, inputs: torch.Tensor, neurons) -> dict[Tap, torch.Tensor]:
        """The activations of some neurons, at the read position, for `[CLS] x [SEP]`.

        inputs: (n, H), one x per row. neurons: the Taps wanted; or, by Tap, the indices wanted there.
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
                found[tap] = self._neurons(tap, states, wanted[tap])

        states = self._norm(inputs + self._added[1], self._embedding_norm)[None]
        for layer, block in enumerate(self._in_products[:deepest], start=1):
            states = self._mix(states, block, first=layer == 1, last=layer == deepest)
            position = 0 if layer == deepest else self.read
            tap = Tap("intermediate", layer)
            if layer == deepest and Tap("output", layer) not in wanted and tap not in self._bases:
                weight, bias = (part[wanted[tap]] for part in block.intermediate)
                found[tap] = self.activation(self._linear(states[position], (weight, bias)))
                break
            inner = self.activation(self._linear(states, block.intermediate))
            keep("intermediate", layer, inner[position])
            if layer == deepest and Tap("output", layer) not in wanted:
                break
            states = self._norm(states + self._linear(inner, block.output), block.output_norm)
            keep("output", layer, states[position])
        return found

    def _neurons(self, tap, states, wanted):
        """Some of a tap's neurons, of its states (n, width); of another basis, its directions."""
        basis = self._bases.get(tap)
        return states[:, wanted] if basis is None else F.linear(states, basis[wanted])

    def _mix(self, states, block, first: bool, last: bool):
        """Attention and its LayerNorm. states: (3, n, H); in the first block (1, n, H), x alone.

        Returns (3, n, H); from the last block wanted (1, n, H), the read position alone.
        """
        read = slice(self.read, self.read + 1)
        if first:
            # What the fixed tokens send is known; of them only what reads on is computed further.
            n, moving = states.shape[1], self._linear(states[0], block.qkv)
            fixed = self._first_qkv.expand(n, -1), self._last_qkv.expand(n, -1)
            q, k, v = zip(
                *(t.split(self.hidden, -1) for t in (fixed[0], moving, fixed[1])), strict=True
            )
            residual = [self._first.expand(n, -1), states[0], self._last.expand(n, -1)]
            q, residual = (torch.stack(t[read] if last else t) for t in (q, residual))
            k, v = torch.stack(k), torch.stack(v)
        elif last:
            (qw, kvw), (qb, kvb) = (p.split([self.hidden, 2 * self.hidden]) for p in block.qkv)
            residual = states[read]
            q = self._linear(residual, (qw, qb))
            k, v = self._linear(states, (kvw, kvb)).split(self.hidden, dim=-1)
        else:
            residual = states
            q, k, v = self._linear(states, block.qkv).split(self.hidden, dim=-1)
        mixed = self._linear(self._attend(q, k, v), block.attention_output)
        return self._norm(residual + mixed, block.attention_norm)

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
        """Upper bound of Σ w·activation at a tap. weights: (n, width). Returns (n,).

        At `output` the bound is that of the sum (Cauchy-Schwarz on the normalised state); at
        `intermediate` the weighted sum of the single neurons' bounds, from above and from below.
        """
        block = self._blocks[tap.layer - 1]
        w = weights.double().cpu()
        if tap in self._bases:
            w = w @ self._bases[tap].double().cpu()
        if tap.site == "output":
            gain, bias = (p.double().cpu() for p in block.output_norm)
            return torch.from_numpy(linear_ceiling(w, gain, bias))
        parts = (p.double().cpu() for p in (*block.intermediate, *block.attention_norm))
        single = intermediate_ceiling(
            *parts, activation=lambda a: self.activation(torch.from_numpy(a)).numpy()
        )
        # Nothing is lower than the non-linearity's lowest point; the grid misses it by 1e-11.
        lowest = self.activation(torch.linspace(-3, 0, 300_001, dtype=torch.float64)).min()
        return w.clamp(min=0) @ torch.from_numpy(single) + w.clamp(max=0).sum(dim=1) * lowest

    def _linear(self, x, parameters):
        return F.linear(x.to(self._products), *parameters).to(self.dtype)

    def _norm(self, x, parameters):
        return F.layer_norm(x, (self.hidden,), *parameters, self.epsilon)

    def _attend(self, q, k, v):
        """Attention over three tokens. q: (t, n, H); k, v: (3, n, H). Returns (t, n, H)."""
        tokens, n, _ = q.shape
        per_head = (n, self.heads, self.hidden // self.heads)
        q, k, v = q.view(tokens, 1, *per_head), k.view(1, 3, *per_head), v.view(1, 3, *per_head)
        # Three keys are too few for a batched product: plain sums are faster.
        scores = (q * k).sum(-1, keepdim=True) / math.sqrt(per_head[-1])
        return (torch.softmax(scores, dim=1) * v).sum(1).reshape(tokens, n, self.hidden)


def _bases(tensors: dict) -> dict[Tap, torch.Tensor]:
    names = [name.split(".") for name in tensors if name.startswith("basis.")]
    return {Tap(site, int(layer)): tensors[f"basis.{site}.{layer}"] for _, site, layer in names}


def _block(tensors: dict, layer: int) -> _Block:
    def pair(name, first="weight", second="bias"):
        return tuple(tensors[f"block.{layer}.{name}.{part}"] for part in (first, second))

    qkv = zip(*(pair(name) for name in ("query", "key", "value")), strict=True)
    return _Block(
        qkv=tuple(torch.cat(parts) for parts in qkv),
        attention_output=pair("attention_output"),
        attention_norm=pair("attention_norm", "gain"),
        intermediate=pair("intermediate"),
        output=pair("output"),
        output_norm=pair("output_norm", "gain"),
    )


def _for_products(block: _Block, dtype) -> _Block:
    norms = {"attention_norm": block.attention_norm, "output_norm": block.output_norm}
    products = {k: tuple(p.to(dtype) for p in pair) for k, pair in block._asdict().items()}
    return _Block(**products | norms)
