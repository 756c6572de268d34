"""A model: frozen weights, and optionally its vocabulary and tokenizer."""

import functools
import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors import safe_open
from tokenizers import Tokenizer

from textualization.analysis.selection import (
    SELECTIONS,
    all_neurons,
    neuron_tuples,
    strongest_neurons,
)
from textualization.errors import RequestError, require_choice, require_whole
from textualization.files import sha256
from textualization.models.architecture import Architecture
from textualization.models.context import Context
from textualization.models.devices import chosen_device
from textualization.models.transformer import SITES, FrozenTransformer, Tap
from textualization.models.vocabulary import WordLookup
from textualization.models.word_activations import all_taps, summarise_neurons, word_activations
from textualization.registry import SIGNS
from textualization.spelling import read_as


class Model:
    """A model with frozen weights.

    Args:
        tensors: weights by name, as returned by `textualization.models.conversion.convert`.
        facts: the architecture as text, also from `convert`.
        words: the vocabulary, one row per entry: `word`, `kind`, `candidate`; None if not needed.
        tokenizer: the model's tokenizer, or None.
        name: the model's name in messages.
        read: position at which neurons are read: `word`, `cls` or `sep`.
        context: what stands around x between the special tokens; x alone if None.
        place: of several x in the context, the one that is read as `word`, from 1.
        seek: `maximum`, or `minimum`, which negates all activations, and the floors to ceilings.
        device: `cpu`, `cuda` or `auto`.
        dtype: in which activations are computed: `float32` or `float64`.
        path: file that the tensors were read from, or None.

    Raises:
        RuntimeError: `cuda` is requested and no GPU can be used.
    """

    #: Whether the language head is tied to the word embeddings; None if that is not known.
    tied: bool | None = None

    def __init__(
        self,
        tensors: Mapping[str, torch.Tensor],
        facts: Mapping[str, str],
        words: pd.DataFrame | None = None,
        tokenizer: Tokenizer | None = None,
        *,
        name: str = "model",
        read: str = "word",
        context: Context | None = None,
        place: int = 1,
        seek: str = "maximum",
        device: str = "cpu",
        dtype: str = "float32",
        path: str | Path | None = None,
    ):
        self.tensors, self.facts = tensors, facts
        self.architecture = Architecture.read(facts)
        self.words, self.tokenizer, self.name, self.read = words, tokenizer, name, read
        self.context, self.place, self.seek, self.dtype = context, place, seek, dtype
        self.device, self.device_in_words = chosen_device(device)
        self._path = path
        self._transformers: dict[tuple[str, str], FrozenTransformer] = {}
        self._tokens = (None,) if context is None else context.tokens
        self._summaries: dict[str, pd.DataFrame] = {}

    @classmethod
    def open(cls, path: str | Path, words: pd.DataFrame | None = None, **options) -> "Model":
        """Open a file of tensors and facts.

        Args:
            path: the file, frozen.safetensors.
            words: see `Model`.
            options: further arguments of `Model`.
        """
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.offset_keys()}
            facts = file.metadata()
        return cls(tensors, facts, words, path=path, **options)

    def __repr__(self) -> str:
        words = "" if self.words is None else f", {len(self.words)} words"
        words += "" if self.context is None else f", in {self.context.text!r}"
        return f"<Model {self.name}: {self.layers} layers of {self.architecture.hidden}{words}>"

    @property
    def layers(self) -> int:
        """The number of layers."""
        return self.architecture.layers

    @property
    def places(self) -> int:
        """The number of x in the model's context."""
        return self._tokens.count(None)

    def width(self, site: str) -> int:
        """Count the neurons per layer at a site."""
        return self.architecture.width(site)

    def units(self, tap: tuple[str, int]) -> int:
        """Count the neurons of a site and layer, or the rows of its basis."""
        site, layer = tap
        basis = self.tensors.get(f"basis.{site}.{layer}")
        return self.width(site) if basis is None else len(basis)

    def neurons(self, site: str) -> pd.DataFrame:
        """List all neurons of a site, or rows of its bases, see `all_neurons`."""
        layers = range(1, self.layers + 1)
        return all_neurons(site, self.layers, [self.units((site, layer)) for layer in layers])

    @functools.cached_property
    def embeddings(self) -> np.ndarray:
        """The word-embedding matrix E: (V, H), float32."""
        return self.tensors["word_embeddings"].float().cpu().numpy()

    @property
    def candidates(self) -> np.ndarray:
        """Mask of the entries that may be an optimum's nearest word: (V,), bool."""
        return self.known_words()["candidate"].to_numpy()

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hexadecimal identifier of the weights."""
        if self._path is not None:
            return sha256(self._path)
        found = hashlib.sha256(repr(sorted(self.facts.items())).encode())
        for name in sorted(self.tensors):
            tensor = self.tensors[name].contiguous().cpu()
            found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            found.update(tensor.reshape(-1).view(torch.uint8).numpy())
        return found.hexdigest()

    def transformer(
        self,
        dtype: str | None = None,
        tokens: Sequence[int | None] | None = None,
        place: int | None = None,
        read: str | None = None,
    ) -> FrozenTransformer:
        """Return the model as a transformer that can run; cached for the model's own context.

        Args:
            dtype: `float32` or `float64`; `self.dtype` if None.
            tokens: what stands between the special tokens, ids and None for each x; the model's context
                if None.
            place: the x that is read as `word`, from 1; with the model's context, `self.place`.
            read: the position that is read; `self.read` if None.
        """
        dtype, read = dtype or self.dtype, read or self.read
        if (dtype, read) in self._transformers and tokens is None:
            return self._transformers[dtype, read]
        logging.info(
            "device %s, %s, %d threads", self.device_in_words, dtype, torch.get_num_threads()
        )
        transformer = FrozenTransformer(
            self.tensors,
            self.facts,
            read=read,
            dtype=getattr(torch, dtype),
            device=self.device,
            context=self._tokens if tokens is None else tokens,
            place=self.place if tokens is None else place or 1,
            sign=SIGNS[self.seek],
        )
        if tokens is None:
            self._transformers[dtype, read] = transformer
        return transformer

    def word_transformer(self) -> FrozenTransformer:
        """Return the transformer that words are run through, each as the only x.

        Raises:
            RequestError: the model's context has several x.
        """
        if self.places > 1:
            raise RequestError(
                f"context: {self.context.text!r} has {self.places} places for x; how words activate "
                "neurons is known with one (allowed here: one {})"
            )
        return self.transformer()

    @functools.cached_property
    def lookup(self) -> WordLookup:
        """Finds words in the vocabulary."""
        return WordLookup(self.known_words(), self.tokenizer)

    def id_of(self, word: str) -> int:
        """Look up a word's id, see `WordLookup`. A word that is read as another one is logged.

        Raises:
            RequestError: the word is not text, or not one entry of the vocabulary. The message lists
                its pieces.
        """
        if not isinstance(word, str):
            raise RequestError(f"word: {word!r} is not text (put it in quotes)")
        found, names = self.lookup.find(word), self.lookup.names
        if found < 0:
            pieces = " ".join(names[self.lookup.tokens(word)])
            pieces = f" (in pieces: {pieces})" if pieces else ""
            raise RequestError(
                f"{word!r} is not one entry of the vocabulary of {self.name}{pieces}"
            )
        if names[found] != word:
            logging.info(read_as(word, names[found]))
        return found

    def word_activations(self, ids: Sequence[int], taps: Sequence[Tap]) -> dict[Tap, np.ndarray]:
        """Compute the activations of all neurons of some taps on words: (n, width) per tap."""
        return word_activations(self.word_transformer(), np.asarray(ids), taps)

    def summary(self, site: str) -> pd.DataFrame:
        """Summarise a site's neurons over all candidate words (see `neuron_summary`); cached."""
        if site not in self._summaries:
            transformer, ids = self.word_transformer(), np.flatnonzero(self.candidates)
            taps = all_taps(transformer, [site])
            self._summaries[site] = summarise_neurons(transformer, ids, taps)
        return self._summaries[site]

    def neurons_of(
        self,
        word: str,
        size: int,
        selection: str = "absolute",
        site: str = "output",
        layer: int | None = None,
    ) -> list[tuple[str, int, int]]:
        """Select the neurons that respond most to a word (paper, sec. 4).

        Args:
            word: one entry of the vocabulary.
            size: number of neurons.
            selection: `absolute`, `ratio_to_max` or `z_score`, see
                `textualization.analysis.selection`. The last two need every word's activations:
                seconds to minutes, once per site.
            site: `output` or `intermediate`.
            layer: the layer to select from; all layers if None.

        Returns:
            Neurons (site, layer, index), strongest first.

        Raises:
            RequestError: the word is not one entry, an argument is not allowed, or fewer than
                `size` neurons can be ranked.
        """
        require_choice("site", site, SITES)
        if layer is not None and layer not in range(1, self.layers + 1):
            raise RequestError(
                f"layer: {layer!r} is not a layer of {self.name} (layers 1 to {self.layers})"
            )
        require_choice("selection", selection, SELECTIONS)
        size = require_whole("size", size, 1)
        taps = all_taps(self.word_transformer(), [site])
        taps = [tap for tap in taps if layer in (None, tap.layer)]
        found = self.word_activations([self.id_of(word)], taps)
        activation = np.concatenate([found[tap][0] for tap in taps])
        pool = self.neurons(site)
        if layer is not None:
            pool = pool[pool["layer"] == layer].reset_index(drop=True)
        if selection != "absolute":
            pool = pool.merge(self.summary(site), on=["site", "layer", "index"])
        try:
            order = strongest_neurons(selection, activation, pool, size)
        except ValueError as error:
            raise RequestError(f"{word!r}: {error}") from None
        return neuron_tuples(pool.iloc[order])

    def known_words(self) -> pd.DataFrame:
        """Return the vocabulary. Raises RequestError if the model has none."""
        if self.words is None:
            raise RequestError(f"{self.name}: the model was opened without a vocabulary")
        return self.words
