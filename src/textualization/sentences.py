"""The function `best_sentences`: the tokens of a corpus that activate neurons most."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from textualization.analysis.running import Highest, Sample
from textualization.ascent.objectives import Objectives, weighted_sums
from textualization.corpora import check_corpus, sentences
from textualization.draws import generator
from textualization.errors import RequestError, require_choice, require_whole
from textualization.models.model import Model
from textualization.models.token_activations import TokenPass
from textualization.requested import check_model, requested
from textualization.sentence_results import BestSentences, Counts

#: Sentences, and characters, that are in memory at a time.
WINDOW, CHARACTERS = 1024, 2**22
#: Tokens per forward pass.
BATCH = 2048
#: Numbers that quantiles may keep in memory.
KEPT = 2**25


class _Read(NamedTuple):
    """A sentence that was read: its number, its text, and its tokens' ids and places in the text."""

    number: int
    text: str
    ids: list[int]
    offsets: list[tuple[int, int]]


def best_sentences(
    model: Model,
    corpus: str | Path | Iterable[str],
    neurons: Sequence | None = None,
    groups: Mapping[str, Sequence | Mapping] | None = None,
    directions: Mapping[str, tuple | Mapping] | None = None,
    *,
    sign: int = 1,
    top: int = 10,
    quantiles: Sequence[float] = (0.5, 0.9, 0.99, 0.999),
    dtype: str = "float32",
    seed: int = 0,
    batch: int = BATCH,
) -> BestSentences:
    """Find the tokens of a corpus that activate each neuron, group and direction most.

    Every sentence is read by itself, with the model's special tokens around it, at every token of it.
    Special tokens are no tokens of the text. Empty lines are skipped. A sentence with more tokens than
    the model has positions is cut there.

    Args:
        model: a model that `load` returned, with its tokenizer.
        corpus: the path of a text file in UTF-8, with a sentence on every line; or strings, a sentence
            each. It is read once, a thousand sentences at a time; a file is checked before.
        neurons, groups, directions, sign: as of `textualization.api.ascend`.
        top: number of tokens to list per objective. What is read twice is listed once: the same token
            of the same sentence, or in a causal model of sentences that are the same up to it.
        quantiles: shares of all tokens, each between 0 and 1. They are exact unless tokens × objectives
            exceed KEPT; then they are those of a random sample of KEPT / objectives tokens.
        dtype: `float32` or `float64`.
        seed: draws that sample.
        batch: tokens per forward pass. It changes values by rounding only.

    Raises:
        RequestError: the corpus cannot be read or has no token, the model has no tokenizer, or an
            argument is not allowed.
    """
    _check(model, top, quantiles, dtype, batch)
    wanted = requested(model, neurons, groups, directions, sign)
    check_corpus(corpus)
    reading = TokenPass(model, dtype)
    objectives = weighted_sums([one.neurons for one in wanted], reading.transformer)
    signs = np.array([one.sign for one in wanted])
    highest = Highest(len(wanted), top)
    sample = Sample(len(wanted), max(1, KEPT // len(wanted)))
    total, texts, counts = np.zeros(len(wanted)), {}, Counts()
    random = generator(seed, "tokens of a corpus")
    for window in _windows(model.tokenizer, corpus, reading.limit, counts):
        keys = _keys(window, reading.architecture.causal)
        first = np.cumsum([0, *(len(one.ids) for one in window)])
        draws = random.random(first[-1])
        for rows in _batches(window, batch):
            values = _values(reading, objectives, [window[row].ids for row in rows])
            facts = np.concatenate([keys[first[row] : first[row + 1]] for row in rows])
            total += values.sum(axis=0)
            sample.add(np.concatenate([draws[first[row] : first[row + 1]] for row in rows]), values)
            new = facts["key"] >= 0
            highest.add(signs * values[new], facts[new])
        texts |= {one.number: one for one in window}
        texts = {number: texts[number] for number in highest.sentences()}
    if not counts.tokens:
        raise RequestError("corpus: it has no token (allowed: one sentence or more)")
    return BestSentences(
        model=model,
        requested=wanted,
        counts=counts,
        kept=highest.kept,
        sentences=texts,
        mean=total / counts.tokens,
        quantiles=dict(zip(quantiles, sample.quantiles(quantiles), strict=True)),
        sampled=len(sample),
        ceiling=objectives.ceiling(reading.transformer).numpy(),
        floor=objectives.floor(reading.transformer).numpy(),
    )


def _check(model, top, quantiles, dtype, batch) -> None:
    check_model(model)
    require_choice("dtype", dtype, ("float32", "float64"))
    if model.tokenizer is None:
        raise RequestError(f"{model.name}: the model was opened without its tokenizer")
    for name, value in (("top", top), ("batch", batch)):
        require_whole(name, value, 1)
    for share in quantiles:
        if not isinstance(share, int | float) or not 0 <= share <= 1:
            raise RequestError(f"quantiles: {share!r} is not valid (allowed: numbers from 0 to 1)")


def _windows(tokenizer, corpus, limit: int, counts: Counts) -> Iterator[list[_Read]]:
    """Read and tokenise the sentences of a corpus, some at a time, and count them."""
    waiting, characters = [], 0
    for number, text in enumerate(sentences(corpus), start=1):
        waiting.append((number, text))
        characters += len(text)
        if len(waiting) == WINDOW or characters > CHARACTERS:
            yield _tokenised(tokenizer, waiting, limit, counts)
            waiting, characters = [], 0
    yield _tokenised(tokenizer, waiting, limit, counts)


def _tokenised(tokenizer, numbered, limit: int, counts: Counts) -> list[_Read]:
    encodings = tokenizer.encode_batch([text for _, text in numbered], add_special_tokens=False)
    found = [
        _Read(number, text, encoding.ids[:limit], encoding.offsets[:limit])
        for (number, text), encoding in zip(numbered, encodings, strict=True)
        if encoding.ids and text.strip()
    ]
    counts.empty += len(numbered) - len(found)
    counts.sentences += len(found)
    counts.tokens += sum(len(one.ids) for one in found)
    counts.cut += sum(len(encoding.ids) > limit for encoding in encodings)
    return found


def _keys(window: list[_Read], causal: bool) -> np.ndarray:
    """List all tokens of some sentences: Highest.FACTS, with the key −1 for what was read before.

    A reading is known by all ids that it depends on, and by its place.
    """
    found, known = [], set()
    for one in window:
        whole, ahead = hash(tuple(one.ids)), 0
        for place, row in enumerate(one.ids):
            ahead = hash((ahead, row)) if causal else hash((whole, place))
            key = ahead & (2**63 - 1)
            found.append((0.0, one.number, place, -1 if key in known else key))
            known.add(key)
    return np.array(found, Highest.FACTS)


def _batches(window: list[_Read], batch: int) -> Iterator[list[int]]:
    """Group sentences of equal length, with `batch` tokens at most: nothing has to be padded."""
    lengths: dict[int, list[int]] = {}
    for row, one in enumerate(window):
        lengths.setdefault(len(one.ids), []).append(row)
    for length, rows in sorted(lengths.items()):
        size = max(1, batch // length)
        yield from (rows[first : first + size] for first in range(0, len(rows), size))


def _values(reading: TokenPass, objectives: Objectives, ids: list[list[int]]) -> np.ndarray:
    """Evaluate objectives at every token of sentences of one length, (tokens, n), float64."""
    with torch.inference_mode():
        found = reading.values(objectives, reading.embeddings(torch.tensor(ids)))
    return found.flatten(0, 1).double().cpu().numpy()
