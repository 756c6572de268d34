"""A frozen BERT, read at one position of `[CLS] x [SEP]` and computed no further than needed.

States are token-major, (3, n, H), so that one token's states are a contiguous slice. x is any
vector of the embedding space: a word's embedding, or an input that ascent has found (paper, sec. 3).
"""

import math
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

    tensors, facts: as written by `textualization.freezing.freeze`.
    frame: vocabulary ids of the fixed first and last token.
    read: the position whose activations count, a key of POSITIONS.
    """

    def __init__(self, tensors, facts, frame, read="word", dtype=torch.float32, device="cpu"):
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
        self.word_embeddings = tensors["word_embeddings"]
        self._added = tensors["position_embeddings"][:3] + tensors["type_embedding"]
        self._embedding_norm = (tensors["embedding_norm.gain"], tensors["embedding_norm.bias"])
        self._blocks = [_block(tensors, layer) for layer in range(1, self.layers + 1)]
        # What the two fixed tokens send into block 1 never changes.
        self._first = self._norm(
            self.word_embeddings[frame[0]] + self._added[0], self._embedding_norm
        )
        self._last = self._norm(
            self.word_embeddings[frame[1]] + self._added[2], self._embedding_norm
        )
        fixed = F.linear(torch.stack([self._first, self._last]), *self._blocks[0].qkv)
        self._first_qkv, self._last_qkv = fixed

    @classmethod
    def load(cls, path: str | Path, frame, **options) -> "FrozenBert":
        """Read the file of tensors and facts that `freeze` filled."""
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.offset_keys()}
            return cls(tensors, file.metadata(), frame, **options)

    def width(self, site: str) -> int:
        """Neurons per layer at a site."""
        return self.hidden if site == "output" else self.intermediate

    def activations(self, inputs: torch.Tensor, taps) -> dict[Tap, torch.Tensor]:
        """The activations at the read position for `[CLS] x [SEP]`.

        inputs: (n, H), one x per row. taps: the Taps wanted.
        Returns (n, width of the site) per tap; blocks above the deepest tap are not computed, and
        in the deepest block nothing but the read position.
        """
        taps = set(taps)
        n, deepest = len(inputs), max(tap.layer for tap in taps)
        x = self._norm(inputs + self._added[1], self._embedding_norm)
        states = torch.stack([self._first.expand(n, -1), x, self._last.expand(n, -1)])
        found = {}
        for layer, block in enumerate(self._blocks[:deepest], start=1):
            if layer == 1:
                moving = F.linear(x, *block.qkv)
                fixed = self._first_qkv.expand(n, -1), self._last_qkv.expand(n, -1)
                q, k, v = torch.stack([fixed[0], moving, fixed[1]]).split(self.hidden, dim=-1)
            elif layer < deepest:
                q, k, v = F.linear(states, *block.qkv).split(self.hidden, dim=-1)
            else:
                (qw, kvw), (qb, kvb) = (p.split([self.hidden, 2 * self.hidden]) for p in block.qkv)
                q = F.linear(states[self.read : self.read + 1], qw, qb)
                k, v = F.linear(states, kvw, kvb).split(self.hidden, dim=-1)
            position = self.read
            if layer == deepest:
                q = q if len(q) == 1 else q[position : position + 1]
                states, position = states[position : position + 1], 0
            mixed = F.linear(self._attend(q, k, v), *block.attention_output)
            states = self._norm(states + mixed, block.attention_norm)
            inner = self.activation(F.linear(states, *block.intermediate))
            if Tap("intermediate", layer) in taps:
                found[Tap("intermediate", layer)] = inner[position]
            if layer == deepest and Tap("output", layer) not in taps:
                break
            states = self._norm(states + F.linear(inner, *block.output), block.output_norm)
            if Tap("output", layer) in taps:
                found[Tap("output", layer)] = states[position]
        return found

    def ceiling(self, tap: Tap, weights: torch.Tensor) -> torch.Tensor:
        """Upper bound of Σ w·activation at a tap. weights: (n, width), none negative. Returns (n,).

        At `output` the bound is that of the sum (Cauchy-Schwarz on the normalised state); at
        `intermediate` the weighted sum of the single neurons' bounds.
        """
        block = self._blocks[tap.layer - 1]
        w = weights.double().cpu()
        if tap.site == "output":
            gain, bias = (p.double().cpu() for p in block.output_norm)
            return torch.from_numpy(linear_ceiling(w, gain, bias))
        parts = (p.double().cpu() for p in (*block.intermediate, *block.attention_norm))
        single = intermediate_ceiling(
            *parts, activation=lambda a: self.activation(torch.from_numpy(a)).numpy()
        )
        return w @ torch.from_numpy(single)

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
