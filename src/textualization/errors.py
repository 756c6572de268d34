"""Errors in a user's request or settings."""


class RequestError(ValueError):
    """A request that a model cannot fulfil. The message says what was wrong and what is allowed."""


def require_choice(argument: str, value, allowed) -> None:
    """Raise RequestError if an argument is none of the allowed values."""
    if value not in allowed:
        raise RequestError(f"{argument}: {value!r} is not one of {', '.join(allowed)}")


class SettingsError(RequestError):
    """A setting, or a file that it names, that cannot be used."""
