"""A network with frozen weights: what all forward passes over it share."""

import math
from functools import cached_property

import torch
import torch.nn.functional as F

from textualization.models.architecture import Architecture
from textualization.models.forward.attention import Heads
from textualization.models.forward.blocks import Block, Norm, normed, pair_of


class Network:
    """Weights and constants of one model, on one device, in one dtype.

    Args:
        tensors: weights, as returned by `textualization.models.conversion.convert`. The rows of a
            tensor `basis.<site>.<layer>` (see `textualization.models.bases`) are
            read in place of that layer's neurons.
        facts: the architecture as text, also from `convert`.
        dtype: dtype of the computation.
        device: device of the computation.

    Raises:
        ValueError: the non-linearity is unknown.
    """

    def __init__(self, tensors, facts, dtype=torch.float32, device="cpu"):
        tensors = {
            name: t.to(device=device, dtype=dtype if t.is_floating_point() else None)
            for name, t in tensors.items()
        }
        self.dtype, self.device = dtype, device
        self.architecture = architecture = Architecture.read(facts)
        self.layers, self.heads = architecture.layers, Heads.of(architecture)
        self.hidden, self.intermediate = architecture.hidden, architecture.intermediate
        self.word_embeddings = tensors["word_embeddings"]
        self.embedding_norm = Norm.of(tensors, "embedding_norm", architecture)
        self.projection = pair_of(tensors, "projection")
        self.final_norm = Norm.of(tensors, "final_norm", architecture)
        numbers = [architecture.block(layer) for layer in range(1, self.layers + 1)]
        blocks = {number: Block(tensors, number, architecture) for number in set(numbers)}
        self.blocks = [blocks[number] for number in numbers]
        self.bases = _bases(tensors)
        self._position_embeddings = tensors.get("position_embeddings")
        self._type_embedding = tensors.get("type_embedding")
        self._relative_bias = tensors.get("relative_bias")
        self._buckets = tensors.get("constant.buckets")
        self._rotary = [
            tensors.get(f"constant.rotary.{layer}") for layer in range(1, self.layers + 1)
        ]

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
    def positions(self) -> float:
        """The number of tokens that the model has positions for; ∞ if it has no positions."""
        has = [rotary.shape[1] for rotary in self._rotary if rotary is not None]
        has += [len(self._buckets)] if self._buckets is not None else []
        if self._position_embeddings is not None:
            has.append(len(self._position_embeddings) - self.architecture.first_position)
        return min(has, default=math.inf)

    def width(self, site: str) -> int:
        """Return the number of neurons per layer at a site."""
        return self.architecture.width(site)

    def units(self, tap: tuple[str, int]) -> int:
        """Count a tap's neurons, or the rows of its basis."""
        basis = self.bases.get(tap)
        return self.width(tap[0]) if basis is None else len(basis)

    def added(self, count: int) -> torch.Tensor:
        """Return what the first tokens add to words, position and type embeddings: (count, E)."""
        first = self.architecture.first_position
        added = self.word_embeddings.new_zeros(count, self.embedding)
        if self._position_embeddings is not None:
            added = self._position_embeddings[first : first + count]
        return added if self._type_embedding is None else added + self._type_embedding

    def embed(self, words, added):
        """Return the first block's input, from words (..., E) and what is added to them."""
        states = normed(words + added, self.embedding_norm)
        return states if self.projection is None else F.linear(states, *self.projection)

    def score_bias(self, count: int) -> torch.Tensor | None:
        """Return the biases of scores among tokens, (queries, keys, heads or 1); None for none."""
        bias = None
        if self._relative_bias is not None:
            bias = self._relative_bias[self._buckets[:count, :count]]
        if self.architecture.causal:
            later = torch.ones(count, count, device=self.device).triu(1).bool()[..., None]
            zeros = torch.zeros(1, dtype=self.dtype, device=self.device)
            bias = torch.where(later, -math.inf, zeros if bias is None else bias)
        return bias

    def queries_keys_values(self, layer: int, states, rows: slice, places: slice | torch.Tensor):
        """Return a layer's queries of some rows, keys and values of all, see `Block`.

        places: where the tokens of the states stand in the input.
        """
        rotary = self._rotary[layer - 1]
        if rotary is not None:
            rotary = rotary[:, places]
        return self.blocks[layer - 1].queries_keys_values(states, rows, rotary)

    def neurons(self, tap: tuple[str, int], states, indices):
        """Return some of a tap's neurons, or of the rows of its basis: (n, indices).

        states: what the tap's layer computes at its site, (n, width).
        """
        if self.final_norm is not None and tap == ("output", self.layers):
            states = normed(states, self.final_norm)
        basis = self.bases.get(tap)
        return states[:, indices] if basis is None else F.linear(states, basis[indices])


def _bases(tensors: dict) -> dict[tuple[str, int], torch.Tensor]:
    """Return the bases that are read in place of neurons, by (site, layer)."""
    names = [name.split(".") for name in tensors if name.startswith("basis.")]
    return {(site, int(layer)): tensors[f"basis.{site}.{layer}"] for _, site, layer in names}
