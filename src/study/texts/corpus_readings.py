"""What a study's objectives read in a corpus, with the signs of the study."""

from pathlib import Path

import pandas as pd

from study.models import open_model
from study.studied_objectives import as_requested
from textualization.corpora import sentences
from textualization.draws import generator
from textualization.models.model import Model
from textualization.models.tokenizer import load_tokenizer
from textualization.registry import SIGNS
from textualization.sentence_results import BestSentences
from textualization.sentences import best_sentences

#: Shares of a corpus's tokens whose highest activation is kept.
QUANTILES = (0.5, 0.9, 0.99, 0.999)


def open_for_texts(weights, reading: dict, tokenizer, words=None, device="cpu") -> Model:
    """Open a model to read texts, with its activations as they are, whatever the study seeks.

    Args:
        weights, reading, words: see `open_model`.
        tokenizer: the file of the model's tokenizer.
        device: `cpu`, `cuda` or `auto`.
    """
    reading = reading | {"seek": "maximum"}
    return open_model(weights, reading, words, tokenizer=load_tokenizer(tokenizer), device=device)


def drawn_sentences(corpus: str | Path, count: int, seed: int) -> list[str]:
    """Draw the sentences of a corpus that null models read, in its order; all if it has no more.

    Args:
        corpus: the file.
        count: the number of sentences.
        seed: the study's seed.
    """
    numbers = [number for number, text in enumerate(sentences(corpus)) if text.strip()]
    drawn = generator(seed, "sentences of nulls").permutation(len(numbers))[:count]
    chosen = {numbers[place] for place in drawn}
    return [text for number, text in enumerate(sentences(corpus)) if number in chosen]


def best_in(
    model: Model, corpus, objectives: pd.DataFrame, reading: dict, seed: int, top: int = 1
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find the tokens of a corpus that activate objectives most; least, if the study seeks minima.

    Args:
        model: see `open_for_texts`, with its words.
        corpus: a file, or sentences.
        objectives: rows of `studied_objectives`.
        reading: how the study reads its models.
        seed: the study's seed.
        top: the number of tokens per objective.

    Returns:
        The tokens: `kind`, `objective`, and the columns of `BestSentences.table` without `sign`. And a
        row per objective: `kind`, `objective`, `tokens`, `sentences`, `cut` (sentences with more tokens
        than the model has positions), `activation` (by the best token), `mean` and `quantile_<share>`
        over all tokens. All activations have the study's sign.
    """
    sign = SIGNS[reading["seek"]]
    found = best_sentences(
        model,
        corpus,
        **as_requested(objectives),
        sign=sign,
        top=top,
        quantiles=[share if sign > 0 else 1 - share for share in QUANTILES],
        dtype=reading["dtype"],
        seed=seed,
    )
    named = objectives[["kind", "objective"]].reset_index(drop=True)
    counts = found.counts
    summary = named.assign(
        tokens=counts.tokens,
        sentences=counts.sentences,
        cut=counts.cut,
        activation=sign * found.activation,
        mean=sign * found.mean,
        **{
            f"quantile_{share:g}": sign * values
            for share, values in zip(QUANTILES, found.quantiles.values(), strict=True)
        },
    )
    return _tokens(found, named, sign), summary


def _tokens(found: BestSentences, named: pd.DataFrame, sign: int) -> pd.DataFrame:
    rows = named.index.repeat([len(kept) for kept in found.kept])
    table = found.table().drop(columns=["objective", "sign"])
    table["activation"] *= sign
    return named.loc[rows].reset_index(drop=True).join(table)
