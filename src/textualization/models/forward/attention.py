"""Attention: its heads, rotary positions, and two ways to attend, which compute the same."""

import math
from typing import NamedTuple

import torch

from textualization.models.architecture import Architecture


class Heads(NamedTuple):
    """The heads of attention.

    queries, keys: number of query heads, and of key and value heads, which they share equally.
    size: size of a head.
    scaled: whether scores are divided by √size.
    """

    queries: int
    keys: int
    size: int
    scaled: bool

    @classmethod
    def of(cls, architecture: Architecture) -> "Heads":
        """Return the heads of an architecture."""
        queries = architecture.heads
        keys = architecture.kv_heads or queries
        size = architecture.head_size or architecture.hidden // queries
        return cls(queries, keys, size, architecture.scaled)

    def for_sums(self, bias: torch.Tensor) -> torch.Tensor:
        """Lay out biases of scores (queries, keys, heads or 1) for `attend_by_sums`.

        Returns:
            (queries, keys, 1, key heads, query heads each, 1).
        """
        shape = bias.shape[:2]
        bias = bias.expand(*shape, self.queries)
        return bias.reshape(*shape, 1, self.keys, self.queries // self.keys, 1)

    def attend_by_sums(self, q, k, v, bias) -> torch.Tensor:
        """Attend by plain sums over all pairs of tokens.

        With as few keys as three, this is faster than batched products.

        Args:
            q: queries, (t, n, query heads · size).
            k, v: keys and values, (tokens, n, key heads · size).
            bias: biases of scores, see `for_sums`; or None.

        Returns:
            (t, n, query heads · size).
        """
        tokens, n, _ = q.shape
        q = q.view(tokens, 1, n, self.keys, -1, self.size)
        k, v = (part.view(1, len(part), n, self.keys, 1, self.size) for part in (k, v))
        shares = self._shares((q * k).sum(-1, keepdim=True), bias, dim=1)
        return (shares * v).sum(1).reshape(tokens, n, -1)

    def attend_by_products(self, q, k, v, bias) -> torch.Tensor:
        """Attend by batched products, as is faster with whole texts, and takes less memory.

        Args:
            q, k, v: see `attend_by_sums`.
            bias: biases of scores, (heads or 1, queries, keys); or None.

        Returns:
            (t, n, query heads · size).
        """
        q, k, v = (
            part.unflatten(2, (-1, self.size)).permute(1, 2, 0, 3) for part in (q, k, v)
        )  # (n, heads, tokens, size)
        each = self.queries // self.keys
        k, v = (part.repeat_interleave(each, dim=1) if each > 1 else part for part in (k, v))
        shares = self._shares(q @ k.transpose(2, 3), bias, dim=-1)
        return (shares @ v).permute(2, 0, 1, 3).flatten(2)

    def _shares(self, scores, bias, dim: int) -> torch.Tensor:
        """Return the share of every key in a query's result; the keys lie along `dim`."""
        if self.scaled:
            scores = scores / math.sqrt(self.size)
        if bias is not None:
            scores = scores + bias
        return torch.softmax(scores, dim=dim)


def rotate(x: torch.Tensor, rotary: torch.Tensor) -> torch.Tensor:
    """Apply rotary positions (2, t, head size) to x, (t, n, ·) (Su et al. 2021)."""
    cos, sin = rotary[:, :, None, None]
    size = rotary.shape[-1]
    x = x.view(*x.shape[:2], x.shape[-1] // size, size)
    low, high = x.chunk(2, dim=-1)
    return (x * cos + torch.cat([-high, low], dim=-1) * sin).flatten(2)
