"""Experiments that are judged on held-out sentences of the corpus.

Loads fast: the Snakefile imports this module.
"""

#: Statistics that held-out sentences give.
STATISTICS = ("explanation_sentences", "explanation_top_sentences")


def judges(experiment: dict) -> bool:
    """Tell whether an experiment is judged on held-out sentences."""
    return not set(STATISTICS).isdisjoint(experiment.get("statistics", []))


def faults(name: str, settings: dict) -> list[str]:
    """List settings with which an experiment cannot be judged on held-out sentences."""
    if not judges(settings["experiments"][name]):
        return []
    where = f"experiments.{name}.statistics: {' and '.join(STATISTICS)} need"
    wrong = {
        "read: word": settings["read"] != "word",
        "context: null": settings["context"] is not None,
    }
    found = [
        f"{where} {usual}; sentences are read alone, at their own tokens"
        for usual, is_wrong in wrong.items()
        if is_wrong
    ]
    if settings["corpus"] is None:
        found.append(f"{where} a corpus (allowed: corpus: default, or the path of a text file)")
    return found
