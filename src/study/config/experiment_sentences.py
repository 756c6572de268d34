"""Experiments that are judged on held-out sentences of the corpus.

Loads fast: the Snakefile imports this module.
"""

from study.config.corpus import read_alone

#: Statistics that held-out sentences give.
STATISTICS = ("explanation_sentences", "explanation_top_sentences")


def judges(experiment: dict) -> bool:
    """Tell whether an experiment is judged on held-out sentences."""
    return not set(STATISTICS).isdisjoint(experiment.get("statistics", []))


def faults(name: str, settings: dict) -> list[str]:
    """List settings with which an experiment cannot be judged on held-out sentences."""
    if not judges(settings["experiments"][name]):
        return []
    where, none = f"experiments.{name}.statistics:", f"without {' and '.join(STATISTICS)}"
    found = read_alone(f"{where} held-out sentences are", settings, f"statistics {none}")
    if settings["corpus"] is None:
        found.append(
            f"{where} {' and '.join(STATISTICS)} need a corpus "
            "(allowed: corpus: default, or the path of a text file)"
        )
    return found
