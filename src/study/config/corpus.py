"""The corpus of a study, sentences that its objectives read, and the short texts that it seeks.

Loads fast: the Snakefile imports this module.
"""

from pathlib import Path

#: The corpus that comes with the library, in the project's folder.
LIBRARY_CORPUS = "src/textualization/corpus/sentences.txt"


def corpus_file(settings: dict, root: Path) -> Path | None:
    """Return the file of a study's corpus, or None if it has none.

    Args:
        settings: the study's settings; those of older studies have none.
        root: the project's folder.
    """
    corpus = settings.get("corpus")
    if corpus is None:
        return None
    return root / LIBRARY_CORPUS if corpus == "default" else Path(corpus)


def faults(settings: dict) -> list[str]:
    """List settings that no text of a corpus or of `texts` goes with."""
    requested = {
        "corpus: sentences are": (settings["corpus"] is not None, "corpus: null"),
        "texts.tokens: texts are": (settings["texts"]["tokens"], "texts.tokens: []"),
    }
    lines = []
    for said, (wanted, none) in requested.items():
        if wanted:
            lines += read_alone(said, settings, none)
    return lines


def read_alone(said: str, settings: dict, otherwise: str) -> list[str]:
    """List settings that no text goes with: a text is read alone, at its own tokens.

    Args:
        said: the setting that asks for texts, and its subject, as a line begins.
        settings: the study's settings.
        otherwise: the setting without texts.
    """
    wrong = {"read": "word", "context": None}
    return [
        f"{said} read alone, at their own tokens, not with {key}: {settings[key]} "
        f"(allowed: {key}: {'null' if usual is None else usual}, or {otherwise})"
        for key, usual in wrong.items()
        if settings[key] != usual
    ]
