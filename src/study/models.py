"""The model of a job, read as the study's settings say."""

from collections.abc import Mapping

import pandas as pd

from textualization.models.context import Context
from textualization.models.model import Model


def open_model(
    weights, reading: Mapping, words: pd.DataFrame | None = None, context=(), **options
) -> Model:
    """Open a model or null model of a study.

    Args:
        weights: the file of its tensors.
        reading: `read`, `seek` and `dtype`, see `Model`.
        words: the vocabulary; None if not needed.
        context: the file of the sentence around x; empty if x stands alone.
        options: further arguments of `Model`.
    """
    stated = Context.load(context) if context else None
    return Model.open(weights, words, context=stated, **reading, **options)
