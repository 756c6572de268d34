"""Errors in a user's request or settings."""


class RequestError(ValueError):
    """A request that a model cannot fulfil. The message says what was wrong and what is allowed."""


class SettingsError(RequestError):
    """A setting, or a file that it names, that cannot be used."""
