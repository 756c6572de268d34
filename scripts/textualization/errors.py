"""What goes wrong with what a user wrote."""


class SettingsError(ValueError):
    """A setting, or a file that it names, cannot be used."""
