"""Where ascents start: x₀ drawn for each objective by its own name, never by its place in a batch."""

import hashlib

import numpy as np

_DRAW = {
    "normal": lambda generator, size: generator.standard_normal(size),
    # Same variance as the normal draw at the same scale.
    "uniform": lambda generator, size: generator.uniform(-np.sqrt(3), np.sqrt(3), size),
}


def generator(seed: int, *identity) -> np.random.Generator:
    """A counter-based generator (Philox) keyed by the study's seed and an objective's identity."""
    name = "/".join(str(part) for part in (seed, *identity))
    key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=16).digest(), "little")
    return np.random.Generator(np.random.Philox(key=key))


def vocabulary_vectors(seed: int, identities, words: int, kind: str, scale: float) -> np.ndarray:
    """The start x₀ of every objective: (n, V), float64, entries of mean 0 and deviation `scale`.

    identities: one tuple per objective; equal tuples start alike.
    """
    draw = _DRAW[kind]
    return np.stack([scale * draw(generator(seed, *i), words) for i in identities])


def vocabulary_vector(x0, start, embedding, word_embeddings) -> np.ndarray:
    """The vocabulary vector x of an optimum: x₀ + E (EᵀE)⁺ (e − e₀), the nearest to x₀ with xE = e.

    Of the paper's ascent it is exactly the x that was climbed to, which moved by E Σ η∇.
    x0: (n, V). start, embedding: (n, H), e₀ and e. word_embeddings: (V, H). Returns (n, V), float64.
    """
    e = np.asarray(word_embeddings, dtype=np.float64)
    moved = np.asarray(embedding, dtype=np.float64) - np.asarray(start, dtype=np.float64)
    return x0 + (moved @ np.linalg.pinv(e.T @ e, hermitian=True)) @ e.T


def largest_entries(vectors, count: int) -> np.ndarray:
    """Where each row is largest: (n, count), largest first. vectors: (n, V)."""
    return np.argsort(-vectors, axis=1, kind="stable")[:, :count]


def drawn_neurons(seed: int, site: str, layer: int, width: int, count) -> np.ndarray:
    """Which neurons of a layer a study looks at: sorted indices. count: a number, or `all`."""
    if count == "all":
        return np.arange(width)
    return np.sort(generator(seed, "neurons", site, layer).permutation(width)[:count])


def runs(seed: int, items, restarts: int, repeated, *identity) -> list[tuple]:
    """Every item with its restarts: (item, restart), the restart counted from 0.

    repeated: how many items, drawn by the seed, have all `restarts`, to tell the spread between starts
    from that between items; the others have one. `all`: every item has.
    """
    items = list(items)
    count = len(items) if repeated == "all" else min(repeated, len(items))
    chosen = set(generator(seed, "repeated", *identity).permutation(len(items))[:count].tolist())
    return [
        (item, restart)
        for place, item in enumerate(items)
        for restart in range(restarts if place in chosen else 1)
    ]
