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
    """List settings that no text goes with: a text stands alone, and is read at its own tokens."""
    requested = {
        "corpus: sentences are": (settings["corpus"] is not None, "corpus: null"),
        "texts.tokens: texts are": (settings["texts"]["tokens"], "texts.tokens: []"),
    }
    lines = []
    for said, (wanted, none) in requested.items():
        if wanted and settings["read"] != "word":
            lines.append(
                f"{said} read at their own tokens, not at {settings['read']} "
                f"(allowed: read: word, or {none})"
            )
        if wanted and settings["context"] is not None:
            lines.append(f"{said} read alone, not in `context` (allowed: context: null, or {none})")
    return lines
