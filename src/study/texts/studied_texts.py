"""Short texts that activate a study's objectives most, with the signs of the study."""

import logging

import numpy as np
import pandas as pd

from study.studied_objectives import as_requested
from textualization.models.model import Model
from textualization.registry import SIGNS
from textualization.texts import ascend_text

#: Columns of the table, and their types.
COLUMNS = {"kind": str, "objective": str, "length": int, "text": str, "place": int}
COLUMNS |= {"token": str, "start": int, "end": int, "activation": float, "swept": int}
COLUMNS |= {"local_optimum": bool, "evaluated": int}


def texts_of(
    model: Model, objectives: pd.DataFrame, tokens: int, reading: dict, seed: int, settings: dict
) -> pd.DataFrame:
    """Find a text per objective, see `textualization.texts.ascend_text`.

    Args:
        model: the model with its words, see `study.texts.corpus_readings.open_for_texts`.
        objectives: rows of `study.studied_objectives.studied_objectives`; may be none.
        tokens: the number of tokens of a text.
        reading: how the study reads its models.
        seed: the study's seed.
        settings: further arguments of `ascend_text`.

    Returns:
        COLUMNS: `length` (tokens), `place` (of the token that is read, from 1), `start` and `end` (of
        this token in the text), `activation` (with the study's sign), and columns of `Texts.table`.
    """
    if not len(objectives):
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})
    logging.info("%d texts of %d tokens", len(objectives), tokens)
    sign = SIGNS[reading["seek"]]
    found = ascend_text(
        model, **as_requested(objectives), tokens=tokens, sign=sign, seed=seed,
        dtype=reading["dtype"], **settings,
    )  # fmt: skip
    named = objectives[["kind", "objective"]].reset_index(drop=True)
    table = named.join(found.table().drop(columns=["objective", "sign", "size"]))
    places = [
        model.tokenizer.encode(text, add_special_tokens=False).offsets[place]
        for text, place in zip(found.text, found.place, strict=True)
    ]
    table[["start", "end"]] = np.array(places)
    table = table.assign(length=tokens, activation=sign * table["activation"])
    return table[list(COLUMNS)].astype(COLUMNS)
