"""Errors in a user's request or settings."""


class RequestError(ValueError):
    """A request that a model cannot fulfil. The message says what was wrong and what is allowed."""


def require_choice(argument: str, value, allowed) -> None:
    """Raise RequestError if an argument is none of the allowed values."""
    if value not in allowed:
        raise RequestError(f"{argument}: {value!r} is not one of {', '.join(allowed)}")


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
