"""Find the inputs that maximise the activation of a transformer's neurons and directions.

import textualization as tx

model = tx.load("sentence-transformers/all-MiniLM-L6-v2")
optima = tx.ascend(model, neurons=["output/3/120"], solver="lbfgs", steps=105, dtype="float64")
optima.nearest_words(5)
"""

import importlib

#: Public names, and the module that defines each; a module is imported at the first use of its name.
_PUBLIC = {
    "load": "textualization.models.loading",
    "Model": "textualization.models.model",
    "ascend": "textualization.api",
    "explain": "textualization.api",
    "best_sentences": "textualization.sentences",
    "BestSentences": "textualization.sentence_results",
    "ascend_text": "textualization.texts",
    "Texts": "textualization.text_results",
    "word_direction": "textualization.direction_makers",
    "word_difference": "textualization.direction_makers",
    "principal_components": "textualization.direction_makers",
    "random_directions": "textualization.direction_makers",
    "read_directions": "textualization.direction_makers",
    "Optima": "textualization.optima",
    "RequestError": "textualization.errors",
}
__all__ = sorted(_PUBLIC)


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
