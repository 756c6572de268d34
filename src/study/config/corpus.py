"""The corpus of a study: sentences that its neurons, groups and directions read.

Loads fast: the Snakefile imports this module.
"""

from pathlib import Path

#: The corpus that comes with the library, in the project's folder.
LIBRARY_CORPUS = "src/textualization/corpus/sentences.txt"


def corpus_file(settings: dict, root: Path) -> Path | None:
    """Return the file of a study's corpus, or None if it has none.

    Args:
        settings: the study's settings.
        root: the project's folder.
    """
    corpus = settings["corpus"]
    if corpus is None:
        return None
    return root / LIBRARY_CORPUS if corpus == "default" else Path(corpus)


def faults(settings: dict) -> list[str]:
    """List settings that no corpus goes with: a sentence stands alone, and is read at its tokens."""
    if settings["corpus"] is None:
        return []
    lines = []
    if settings["read"] != "word":
        lines.append(
            f"corpus: sentences are read at their own tokens, not at {settings['read']} "
            "(allowed: read: word, or corpus: null)"
        )
    if settings["context"] is not None:
        lines.append(
            "corpus: a sentence stands alone, not in `context` (allowed: context: null, or "
            "corpus: null)"
        )
    return lines
