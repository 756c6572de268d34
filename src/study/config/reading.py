"""How a study reads its models: at which position, in which sentence, and with which sign.

Loads fast: the Snakefile imports this module.
"""


def reading(settings: dict) -> dict:
    """Return how a study reads its models, as arguments of `textualization.models.model.Model`."""
    # Studies made before there was this setting sought maxima.
    seek = settings.get("seek", "maximum")
    return {"read": settings["read"], "seek": seek, "dtype": settings["ascent"]["dtype"]}


def is_usual(settings: dict) -> bool:
    """Tell whether a study seeks maxima of x alone, as the paper does."""
    return settings.get("seek", "maximum") == "maximum" and not settings.get("context")


def note(settings: dict) -> str:
    """Say what differs from maxima of x alone, for captions and the pages of the atlas; may be empty."""
    said = []
    if context := settings.get("context"):
        said.append(f"x, and every word, stands in the sentence “{context}”.")
    if settings.get("seek") == "minimum":
        said.append(
            "This study seeks minima: every activation and ceiling has the opposite sign, and the name "
            "of a neuron or direction a minus."
        )
    return " ".join(said)


def in_short(settings: dict) -> str:
    """Say how the neurons are read, in a few words, as claims name it."""
    said = f"read at {settings['read']}"
    if context := settings.get("context"):
        said += f" in “{context}”"
    if settings.get("seek") == "minimum":
        said += ", with the opposite sign (minima)"
    return said
