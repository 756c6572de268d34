"""The function `ascend_text`: short texts that activate neurons most."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from textualization.ascent.coordinate import Coordinate, Ended, TextScore, ascend_text_from
from textualization.ascent.objectives import weighted_sums
from textualization.draws import generator
from textualization.errors import RequestError, require_choice, require_number, require_whole
from textualization.models.language_head import LanguageHead
from textualization.models.model import Model
from textualization.models.retokenise import Retokeniser
from textualization.models.token_activations import TokenPass
from textualization.registry import MOST_TOKENS
from textualization.requested import Requested, check_model, requested
from textualization.text_results import Texts

#: Random texts that are drawn for a start, until one is readable.
DRAWS = 200


def ascend_text(
    model: Model,
    neurons: Sequence | None = None,
    groups: Mapping[str, Sequence | Mapping] | None = None,
    directions: Mapping[str, tuple | Mapping] | None = None,
    *,
    tokens: int = 4,
    place: int | None = None,
    sign: int = 1,
    whole_words: bool = True,
    steps: int = 40,
    candidates: int = 128,
    sweeps: int = 1,
    restarts: int = 1,
    seed: int = 0,
    fluency: float = 0.0,
    dtype: str = "float32",
) -> Texts:
    """Find the text of a few tokens that activates each neuron, group and direction most.

    One token at a time is replaced. The gradient proposes words; the best of them by exact evaluation
    is taken if the text activates more with it, and if the tokenizer reads the text as exactly these
    tokens. Positions take turns until none has a better word among those proposed. A sweep then
    evaluates all words at one position. A text of one token is the best of all words.

    Args:
        model: a model that `load` returned, with its tokenizer.
        neurons, groups, directions, sign: as of `textualization.api.ascend`.
        tokens: number of tokens of a text, 1 to MOST_TOKENS. The model's special tokens stand around it.
        place: the token that is read, from 1; None: the one that activates most.
        whole_words: True allows candidate words only, False all words and pieces of words.
        steps, candidates, sweeps: see `textualization.ascent.coordinate.Coordinate`.
        restarts: number of ascents per objective, from random texts; the best end is returned.
        seed: draws these texts, by the objective's own name.
        fluency: this times the mean log-probability of the text's tokens, in activation per nat, is
            added to what is maximised. For causal models whose language head is tied to their
            embeddings.
        dtype: `float32` or `float64`.

    Returns:
        A text per objective, in the order of `ascend`. It does not depend on the other objectives.

    Raises:
        RequestError: an argument is not allowed, or no text of such words is read as these words.
    """
    counts = {"tokens": tokens, "candidates": candidates, "restarts": restarts}
    check_model(model)
    _check_counts(counts, least=1)
    _check_counts({"steps": steps, "sweeps": sweeps}, least=0)
    _check(model, tokens, place, fluency, dtype)
    wanted = requested(model, neurons, groups, directions, sign)
    reading, writing = TokenPass(model, dtype), Retokeniser(model)
    if tokens > min(MOST_TOKENS, reading.limit):
        raise RequestError(
            f"tokens: {tokens} is not valid (allowed: whole numbers from 1 to "
            f"{min(MOST_TOKENS, reading.limit)})"
        )
    head = LanguageHead(model, reading, tokens) if fluency else None
    pool = _pool(model, writing, whole_words, tokens)
    signs = torch.tensor([one.sign for one in wanted], device=reading.device)
    sums = weighted_sums([one.neurons for one in wanted], reading.transformer)
    # A text of one token is found by one sweep alone.
    settings = Coordinate(steps, candidates, sweeps) if tokens > 1 else Coordinate(0, candidates, 1)
    found = []
    for row, one in enumerate(wanted):
        # One objective at a time: so nothing depends on the others, not even its rounding.
        objective = sums.signed(signs).rows(torch.tensor([row], device=reading.device))
        score = TextScore(reading, objective, None if place is None else place - 1, head, fluency)
        ends = [
            ascend_text_from(
                score,
                _start(one, restart, seed, tokens, pool, writing).to(reading.device),
                pool.to(reading.device),
                settings,
                lambda ids: writing.text_of(ids) is not None,
            )
            for restart in range(restarts if tokens > 1 else 1)
        ]
        found.append(max(ends, key=lambda end: float(end.scores.score[0])))
    return _texts(model, wanted, found, sums, reading, writing, head)


def _check_counts(counts: dict, least: int) -> None:
    for name, value in counts.items():
        require_whole(name, value, least)


def _check(model, tokens, place, fluency, dtype) -> None:
    require_choice("dtype", dtype, ("float32", "float64"))
    if place is not None and place not in range(1, tokens + 1):
        raise RequestError(f"place: {place!r} is not valid (allowed: 1 to {tokens}, or None)")
    require_number("fluency", fluency)
    if model.tokenizer is None:
        raise RequestError(f"{model.name}: the model was opened without its tokenizer")


def _pool(model: Model, writing: Retokeniser, whole_words: bool, tokens: int) -> torch.Tensor:
    """Return the ids that may stand in a text of some tokens, (C,)."""
    words = model.known_words()
    allowed = words["candidate"] if whole_words else words["kind"].isin(("word", "wordpiece"))
    ids = np.flatnonzero(allowed)
    # Whole words that are no text by themselves, such as those with capitals where the tokenizer has
    # none, are no part of a longer text. Pieces may be.
    ids = writing.alone(ids) if whole_words or tokens == 1 else ids
    if not len(ids):
        raise RequestError(f"{model.name}: its tokenizer reads no candidate word as this word")
    return torch.from_numpy(ids)


def _start(
    one: Requested, restart: int, seed: int, tokens: int, pool: torch.Tensor, writing: Retokeniser
) -> torch.Tensor:
    """Draw a readable text, (tokens,)."""
    random = generator(seed, "text", *one.identity, restart)
    for _ in range(DRAWS):
        ids = pool[torch.from_numpy(random.integers(len(pool), size=tokens))]
        if writing.text_of(ids) is not None:
            return ids
    raise RequestError(
        f"tokens: none of {DRAWS} random texts of {tokens} words is read as these words (allowed: "
        "whole_words=True, or fewer tokens)"
    )


def _texts(model, wanted, found: list[Ended], sums, reading, writing, head) -> Texts:
    """Put together the result."""
    ids = torch.stack([end.ids for end in found])
    likely = None
    if head is not None:
        with torch.inference_mode():
            likely = head.mean(ids, reading.embeddings(ids)).double().cpu().numpy()
    signs = np.array([one.sign for one in wanted])
    return Texts(
        model=model,
        requested=wanted,
        ids=ids.cpu().numpy(),
        text=[writing.text_of(row) for row in ids.tolist()],
        place=np.array([int(end.scores.place[0]) for end in found]),
        activation=signs * np.array([float(end.scores.activation[0]) for end in found]),
        log_probability=likely,
        ceiling=sums.ceiling(reading.transformer).numpy(),
        floor=sums.floor(reading.transformer).numpy(),
        swept=np.array([end.swept for end in found]),
        evaluated=np.array([end.evaluated for end in found]),
    )
