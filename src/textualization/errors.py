"""Errors in a user's request or settings."""

import math
from numbers import Integral, Real


class RequestError(ValueError):
    """A request that a model cannot fulfil. The message says what was wrong and what is allowed."""


def require_choice(argument: str, value, allowed) -> None:
    """Raise RequestError if an argument is none of the allowed values."""
    if value not in allowed:
        raise RequestError(f"{argument}: {value!r} is not one of {', '.join(allowed)}")


def is_whole(value) -> bool:
    """Tell whether a value is a whole number, Python's or numpy's."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def require_whole(argument: str, value, least: int | None = None) -> int:
    """Return a whole number, Python's or numpy's, as an int.

    Args:
        argument: its name.
        value: the number.
        least: the lowest one allowed; None if all are.

    Raises:
        RequestError: it is none, or lower.
    """
    if is_whole(value) and (least is None or value >= least):
        return int(value)
    allowed = "whole numbers" + ("" if least is None else f" from {least}")
    raise RequestError(f"{argument}: {value!r} is not valid (allowed: {allowed})")


def require_number(argument: str, value, positive: bool = False) -> None:
    """Raise RequestError if an argument is not a finite number from 0, or above 0 if `positive`."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not 0 <= value < math.inf or (positive and value == 0):
        least = "above 0" if positive else "from 0"
        raise RequestError(f"{argument}: {value!r} is not valid (allowed: finite numbers {least})")


class SettingsError(RequestError):
    """A setting, or a file that it names, that cannot be used."""


class ModelFileError(RequestError):
    """A file of a model that cannot be used.

    Attributes:
        file: its name.
        fault: what is wrong with it, in words that follow its name.
    """

    def __init__(self, file: str, fault: str):
        super().__init__(f"{file} {fault}")
        self.file, self.fault = file, fault


class SourceError(RuntimeError):
    """A model cannot be obtained from its source, or its weights are not the expected ones."""
